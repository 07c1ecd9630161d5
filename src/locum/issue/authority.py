"""The built-in certificate authority: a root, an issuing authority below it, and what it signs.

A leaf says CA:FALSE, where its revocation is told, and never that none is available (RFC 9608).
What does not change from leaf to leaf is worked out once. Source: RFC 5280 §4.2.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from itertools import pairwise
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
    load_pem_private_key,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from locum.evidence.x509 import USAGES, authority_of, guarded, read_bundle, usages_of
from locum.laws.no_wider_certificate import Granted
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.secret import Secret

Key = EllipticCurvePrivateKey | Ed25519PrivateKey
Kind = Literal["p256", "ed25519"]
ROOT_LIFE, ISSUING_LIFE = timedelta(days=3650), timedelta(days=1095)
BACKDATED = timedelta(minutes=5)
_KEPT = 1_024


class Responder(msgspec.Struct, frozen=True):
    """A delegated OCSP responder, whose key lives in this process only (RFC 6960 §4.2.2.2)."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey
    issuer: x509.Certificate

    def __repr__(self) -> str:
        return f"Responder({self.certificate.serial_number:x})"


class IssuingAuthority:
    """What signs backup certificates and their revocation lists.

    Args:
        key: its private key.
        chain: its certificate first, then those that signed it.
    """

    def __init__(self, key: Key, chain: tuple[x509.Certificate, ...]) -> None:
        self.key, self.certificate = key, chain[0]
        self.chain_pem = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)
        self.hash = None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()
        self._identifier = _authority_identifier(self.certificate)
        self._plain = x509.BasicConstraints(ca=False, path_length=None)
        self._begun = lru_cache(_KEPT)(self._begin)

    def __repr__(self) -> str:
        return f"IssuingAuthority({self.certificate.subject.rfc4514_string()})"

    def issue(
        self,
        public_key: bytes,
        granted: Granted,
        *,
        serial: int,
        not_before: datetime,
        not_after: datetime,
        crl_url: str,
        ocsp_url: str,
        ca_url: str,
    ) -> bytes:
        """Sign a leaf certificate.

        Args:
            public_key: SubjectPublicKeyInfo, DER.
            granted: what it says.
            crl_url, ocsp_url, ca_url: where its revocation is told, and its issuer found.

        Returns:
            The certificate, DER.

        Raises:
            Unavailable: it would outlive the authority.
        """
        if not_after > self.certificate.not_valid_after_utc:
            raise Unavailable(
                "The issuing authority ends before the certificate would.",
                "Have the issuing authority renewed.",
            )
        key = load_der_public_key(public_key)
        builder = (
            self._begun(granted, crl_url, ocsp_url, ca_url)
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(serial)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key),  # type: ignore[arg-type]
                critical=False,
            )
        )
        return builder.sign(self.key, self.hash).public_bytes(Encoding.DER)

    def _begin(
        self, granted: Granted, crl_url: str, ocsp_url: str, ca_url: str
    ) -> x509.CertificateBuilder:
        """What is the same for every key and time."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name.from_rfc4514_string(granted.subject))
            .issuer_name(self.certificate.subject)
            .add_extension(self._plain, critical=True)
            .add_extension(_key_usage(granted.usages), critical=True)
            .add_extension(self._identifier, critical=False)
            .add_extension(_distribution(crl_url), critical=False)
            .add_extension(_information(ocsp_url, ca_url), critical=False)
        )
        names = [_general_name(name) for name in sorted(granted.names)]
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=not granted.subject
            )
        if granted.extended:
            purposes = [x509.ObjectIdentifier(one) for one in sorted(granted.extended)]
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        return builder


def load_authority(key_pem: Secret, chain_pem: str) -> IssuingAuthority:
    """Put an authority together from its key and chain.

    Raises:
        MalformedInput: they cannot be read, do not fit one another, or may not sign.
    """
    remedy = "Give the issuing authority's certificate first, then those above it, PEM."
    key = guarded(
        "The authority's key",
        "Restore the data folder.",
        lambda: load_pem_private_key(key_pem.reveal().encode(), None),
    )
    chain = read_bundle(chain_pem)
    if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey) or (
        isinstance(key, EllipticCurvePrivateKey) and not isinstance(key.curve, SECP256R1)
    ):
        raise MalformedInput("The authority's key is neither P-256 nor Ed25519.", remedy)
    if chain[0].public_key() != key.public_key():
        raise MalformedInput("The first certificate is not of the authority's key.", remedy)
    usages = usages_of(chain[0].extensions)
    if not authority_of(chain[0].extensions) or not {"keyCertSign", "cRLSign"} <= (
        usages or frozenset()
    ):
        raise MalformedInput(
            "The certificate may not sign certificates and revocation lists.",
            "Have it signed as a CA: CA:TRUE, keyCertSign and cRLSign.",
        )
    for below, above in pairwise(chain):
        guarded("The chain", remedy, lambda low=below, high=above: _signed(low, high))  # type: ignore[misc]
    return IssuingAuthority(key, chain)


def _signed(below: x509.Certificate, above: x509.Certificate) -> None:
    try:
        below.verify_directly_issued_by(above)
    except Exception:
        raise MalformedInput(
            "A certificate of the chain is not signed by the one after it.",
            "Put them in order, the issuing authority first.",
        ) from None


def make_root(
    kind: Kind, name: str, now: datetime, rng: Callable[[int], bytes]
) -> tuple[Secret, str]:
    """Make a root authority: its key and its certificate, PEM."""
    key = _new_key(kind)
    built = _authority_builder(_called(name), _called(name), key, now, ROOT_LIFE, rng, None)
    certificate = built.sign(key, _hash_of(key))
    return _secret(key), certificate.public_bytes(Encoding.PEM).decode()


def make_intermediate(
    root_key: Secret,
    root_pem: str,
    kind: Kind,
    name: str,
    now: datetime,
    rng: Callable[[int], bytes],
) -> tuple[Secret, str]:
    """Make an issuing authority below a root: its key and its chain, PEM."""
    above = load_authority(root_key, root_pem)
    key = _new_key(kind)
    built = _authority_builder(
        _called(name), above.certificate.subject, key, now, ISSUING_LIFE, rng, 0
    ).add_extension(_authority_identifier(above.certificate), critical=False)
    certificate = built.sign(above.key, above.hash)
    return _secret(key), certificate.public_bytes(Encoding.PEM).decode() + above.chain_pem


def request_for_intermediate(kind: Kind, name: str) -> tuple[Secret, str]:
    """Make an issuing authority's key, and the signing request for it, PEM."""
    key = _new_key(kind)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_called(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(frozenset({"keyCertSign", "cRLSign"})), critical=True)
        .sign(key, _hash_of(key))
    )
    return _secret(key), request.public_bytes(Encoding.PEM).decode()


def new_serial(rng: Callable[[int], bytes]) -> int:
    """A serial number: 126 random bits below a set one, so that all are of one length."""
    return int.from_bytes(rng(16)) & ((1 << 126) - 1) | 1 << 126


def responder(
    authority: IssuingAuthority, now: datetime, *, life: timedelta = timedelta(days=2)
) -> Responder:
    """Make a delegated OCSP responder with a fresh key (RFC 6960 §4.2.2.2.1: no check of its own).

    Args:
        life: how long it answers; its certificate never outlives the authority's.
    """
    key = generate_private_key(SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_called("Locum OCSP responder"))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.replace(microsecond=0) - BACKDATED)
        .not_valid_after(
            min(now.replace(microsecond=0) + life, authority.certificate.not_valid_after_utc)
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(frozenset({"digitalSignature"})), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=True)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(_authority_identifier(authority.certificate), critical=False)
        .sign(authority.key, authority.hash)
    )
    return Responder(certificate, key, authority.certificate)


def _authority_builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    now: datetime,
    life: timedelta,
    rng: Callable[[int], bytes],
    path_length: int | None,
) -> x509.CertificateBuilder:
    begins = now.replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(new_serial(rng))
        .not_valid_before(begins - BACKDATED)
        .not_valid_after(begins + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(frozenset({"keyCertSign", "cRLSign"})), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _new_key(kind: Kind) -> Key:
    return Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(SECP256R1())


def _hash_of(key: Key) -> hashes.SHA256 | None:
    return None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()


def _secret(key: Key) -> Secret:
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _authority_identifier(certificate: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(extension.value)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(certificate.public_key())  # type: ignore[arg-type]


def _key_usage(words: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(
        **{field: word in words for field, word in USAGES.items()},
        encipher_only=False,
        decipher_only=False,
    )


def _distribution(url: str) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return x509.CRLDistributionPoints([point])


def _information(ocsp_url: str, ca_url: str) -> x509.AuthorityInformationAccess:
    return x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(kind, x509.UniformResourceIdentifier(url))
            for kind, url in (
                (AuthorityInformationAccessOID.OCSP, ocsp_url),
                (AuthorityInformationAccessOID.CA_ISSUERS, ca_url),
            )
        ]
    )


def _general_name(name: str) -> x509.GeneralName:
    kind, _, value = name.partition(":")
    match kind:
        case "dns":
            return x509.DNSName(value)
        case "uri":
            return x509.UniformResourceIdentifier(value)
        case "ip":
            return x509.IPAddress(ip_address(value))
        case "email":
            return x509.RFC822Name(value)
        case _:
            raise MalformedInput(
                f"The primary's name `{name[:80]}` is of a kind that no backup is issued for.",
                "Name in the signing request which of the primary's names the backup is to have.",
            )
