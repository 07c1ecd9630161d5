"""OpenBao's PKI engine as the authority that signs backup certificates.

`sign-verbatim` is asked, because it alone signs exactly the subject, names, usages and end that
were granted: `sign` knows one common name, and takes the usages from its role. It copies what it
is sent, unknown extensions too, and holds neither names nor `not_after` to the role. So a request
is read before it is sent, and the certificate before it is delivered: one that says more than was
granted is revoked at once, and never leaves. Source: RFC 5280 §4.2; tried on OpenBao 2.7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from locum.issue.openbao_pki import PkiEngine, no_certificate
from locum.issue.signed_elsewhere import SignedElsewhere, faults, sendable
from locum.issue.vault_openbao import OpenBaoSession
from locum.laws.no_wider_certificate import Granted
from locum.model.refusal import MalformedInput, NotFound, Unavailable

_SERIAL = re.compile(r"[0-9a-f]{1,40}\Z")


class OpenBaoAuthority:
    """An authority in OpenBao's PKI engine.

    Every verb raises `Unavailable` where OpenBao is gone, sealed or forbids it.

    Args:
        session: the sign-in that Locum has at OpenBao.
        mount: the path of the PKI engine.
        role: its role; `docs/openbao-pki.md` has the commands that make both.

    Raises:
        MalformedInput: mount or role is no name.
    """

    def __init__(self, session: OpenBaoSession, mount: str = "pki", role: str = "locum") -> None:
        self._engine = PkiEngine(session, mount, role)

    def sign(self, csr_pem: str, granted: Granted, not_after: datetime) -> SignedElsewhere:
        """Have a request signed as it was granted, for a certificate that ends at `not_after`.

        Raises:
            MalformedInput: the request leaves open what OpenBao cannot fill in, or asks for more
                than names and usages.
            Unavailable: OpenBao did not sign, or signed something wider, which is revoked then.
        """
        request = sendable(csr_pem, granted)
        wanted: dict[str, object] = {
            "csr": csr_pem,
            "not_after": not_after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "key_usage": sorted(granted.usages or ()),
            "ext_key_usage_oids": sorted(granted.extended or ()),
        }
        answer = self._engine.write(f"sign-verbatim/{self._engine.role}", wanted)
        try:
            leaf = x509.load_pem_x509_certificate(answer["certificate"].encode())
            chain = "\n".join(answer.get("ca_chain") or [answer["issuing_ca"]]) + "\n"
            issuer = x509.load_pem_x509_certificates(chain.encode())[0]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise self._engine.odd() from None
        serial = f"{leaf.serial_number:x}"
        if found := faults(leaf, request, granted, not_after, issuer):
            raise self._disowned(serial, found)
        return SignedElsewhere(leaf.public_bytes(Encoding.DER), serial, chain)

    def revoke(self, serial: str) -> datetime:
        """Revoke a certificate, and say when it was; doing it again changes nothing.

        Raises:
            NotFound: this mount holds no such certificate.
        """
        return self._instant(self._engine.write("revoke", {"serial_number": _colons(serial)}))

    def revoked(self, serial: str) -> datetime | None:
        """Say since when a certificate is revoked, or `None`.

        Raises:
            NotFound: this mount holds no such certificate.
        """
        answer = self._engine.read(f"cert/{_colons(serial)}")
        if answer is None:
            raise no_certificate()
        return self._instant(answer) if answer.get("revocation_time") != 0 else None

    def crl(self) -> bytes:
        """Give the complete revocation list, DER."""
        return self._engine.fetch("crl")

    def ocsp(self, request: bytes) -> bytes:
        """Give OpenBao's answer to an OCSP request, DER both."""
        kinds = "application/ocsp-request", "application/ocsp-response"
        return self._engine.exchange("ocsp", kinds[0], request, kinds[1])

    def chain_pem(self) -> str:
        """Give the certificates of the issuing authority and those above it, PEM."""
        text = self._engine.fetch("ca_chain").decode("ascii", "replace")
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise self._engine.unfit(
                "has no issuing certificate", "bao write {mount}/intermediate/generate/internal …"
            )
        return text.strip() + "\n"

    def ready(self) -> None:
        """Check mount, role, pointers, freshness and permission.

        Raises:
            Unavailable: something is missing, with the command that mends it.
        """
        engine = self._engine
        self.chain_pem()
        role = engine.read(f"roles/{engine.role}")
        if role is None:
            raise engine.no_role()
        urls, lists = engine.read("config/urls") or {}, engine.read("config/crl") or {}
        for fact, command in _unfit(role, urls, lists):
            raise engine.unfit(fact, command)
        engine.may_write(f"sign-verbatim/{engine.role}", "revoke")

    def _disowned(self, serial: str, found: tuple[str, ...]) -> Unavailable:
        """Revoke what was signed wider than granted; say so, and whether it is revoked."""
        try:
            self.revoke(serial)
        except (NotFound, Unavailable):
            end = f"and it could not be revoked: see to {_colons(serial)} by hand"
        else:
            end = "and it was revoked"
        return Unavailable(
            f"OpenBao signed another certificate than was granted: {'; '.join(found)}. "
            f"It was not delivered, {end}.",
            f"Mend the role {self._engine.role} and the settings of {self._engine.mount} by "
            "docs/openbao-pki.md, then ask again with a new key.",
        )

    def _instant(self, answer: dict[str, Any]) -> datetime:
        try:
            exact = datetime.fromisoformat(str(answer["revocation_time_rfc3339"]))
        except (KeyError, ValueError):
            raise self._engine.odd() from None
        return exact.astimezone(UTC)


def _unfit(
    role: dict[str, Any], urls: dict[str, Any], lists: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """What keeps revocation from working, each with the command that mends it."""
    if role.get("no_store") is not False:
        yield (
            "keeps no certificates of our role, so none could be revoked",
            "bao patch {mount}/roles/{role} no_store=false",
        )
    if role.get("generate_lease") is not False:
        yield (
            "leases certificates of our role, which would die with Locum's token",
            "bao patch {mount}/roles/{role} generate_lease=false",
        )
    if not (urls.get("crl_distribution_points") and urls.get("ocsp_servers")):
        yield (
            "puts no CRL and OCSP address into certificates",
            "bao write {mount}/config/urls crl_distribution_points=URL/pki/crl.der "
            "ocsp_servers=URL/pki/ocsp",
        )
    if lists.get("disable") or lists.get("ocsp_disable") or lists.get("auto_rebuild"):
        yield (
            "does not publish a revocation at once",
            "bao write {mount}/config/crl disable=false ocsp_disable=false auto_rebuild=false",
        )


def _colons(serial: str) -> str:
    """A serial number as OpenBao writes it: whole bytes, with colons between them.

    Raises:
        MalformedInput: it is no serial number.
    """
    if not _SERIAL.match(serial):
        raise MalformedInput(
            "This is no serial number of a certificate.",
            "Write it in lower-case hexadecimal, without colons.",
        )
    whole = serial.zfill(len(serial) + len(serial) % 2)
    return ":".join(whole[at : at + 2] for at in range(0, len(whole), 2))
