"""Backup certificates: issued with the commit that spends the use, revoked with that which closes.

The built-in authority signs inside the act, so a certificate and its record exist together or not
at all. Another authority (OpenBao) signs after the use is spent, and its certificate is recorded
before it is delivered; what it signed for a grant that closed meanwhile is revoked, never handed
out. Only the public half of a key is ever seen here.
"""

from __future__ import annotations

import hashlib
import ssl
from datetime import datetime, timedelta

import msgspec

from locum.evidence.x509 import facts_of, read_certificate
from locum.issue.authority import IssuingAuthority, new_serial
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.issue.signed_elsewhere import sendable
from locum.issue.signing_request import SigningRequest
from locum.laws.no_one_alone import opened_by_identity
from locum.laws.no_wider_certificate import certificate_no_wider, granted
from locum.laws.permits import Refusal
from locum.ledger.entry import Entry
from locum.model.certificate import CertificateFacts
from locum.model.names import GrantId
from locum.model.path import Path
from locum.model.refusal import Breach, Law, MalformedInput, Unavailable
from locum.model.request import CloseReason, Grant, Open
from locum.service.caller import Caller
from locum.service.record import record
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import CertificateRow, Task
from locum.store.sql_certificates import shard_of

BACKDATED = timedelta(seconds=30)
"""How far before its issue a certificate begins, for relying parties whose clocks are behind."""

_WHY: dict[CloseReason, str] = {
    CloseReason.CUTOVER: "superseded",
    CloseReason.LEAKED: "keyCompromise",
    CloseReason.SIGNAL: "affiliationChanged",
}


class Requested(msgspec.Struct, frozen=True):
    """A signing request together with the primary that bounds it."""

    request: SigningRequest
    primary: CertificateFacts


def yields_certificate(path: Path) -> bool:
    """Whether the path's credential is a certificate."""
    return opened_by_identity(path)


def bounded(
    locum: Locum, transaction: Transaction, caller: Caller, csr: SigningRequest | None
) -> Requested | Refusal:
    """A signing request within the primary's own bounds, for a key that had no certificate yet.

    Raises:
        MalformedInput: there is no request, no certificate was presented, or another authority
            signs and could not sign this.
    """
    if csr is None:
        raise MalformedInput(
            "`csr` is missing.",
            "Send a certificate signing request in PEM, made with a key of your own: "
            "`openssl req -new -key backup.key -subj / -out backup.csr`.",
        )
    if caller.primary is None:
        raise MalformedInput(
            "No client certificate was presented.", "Call over mTLS with the primary certificate."
        )
    breaches = certificate_no_wider(csr.ask, caller.primary)
    if transaction.certificate_of_key(csr.ask.key) is not None:
        breaches += (
            Breach(
                Law.NO_LONGER,
                "A backup certificate was issued for this key before.",
                "Make a new key and a new signing request.",
                "csr",
                ("NHI7", "NHI9"),
            ),
        )
    if breaches:
        return Refusal(breaches)
    if isinstance(locum.authority, OpenBaoAuthority):
        # Known before the use is spent: what it could not sign would leave the grant without one.
        sendable(csr.pem, granted(csr.ask, caller.primary))
    return Requested(csr, caller.primary)


def issue_within(
    locum: Locum, transaction: Transaction, asked: Requested, grant: Grant
) -> tuple[CertificateRow, str] | None:
    """Issue inside the act: the record, and the chain to deliver.

    Returns:
        `None` where another authority signs after the commit.

    Raises:
        Unavailable: no authority is set up.
    """
    authority = locum.authority
    if isinstance(authority, OpenBaoAuthority):
        return None
    if not isinstance(authority, IssuingAuthority):
        raise Unavailable(
            "No certificate authority is set up.",
            "Make one: `locum pki init --data DIR`, or name OpenBao's in `[pki]`.",
        )
    serial = new_serial(locum.rng)
    begins, ends = _second(locum.clock() - BACKDATED), _second(grant.ends_at)
    text = f"{serial:x}"
    der = authority.issue(
        asked.request.public_key,
        granted(asked.request.ask, asked.primary),
        serial=serial,
        not_before=begins,
        not_after=ends,
        crl_url=f"{locum.pki_url}/pki/crl/{shard_of(text)}.der",
        ocsp_url=f"{locum.pki_url}/pki/ocsp",
        ca_url=f"{locum.pki_url}/pki/ca.pem",
    )
    print_ = hashlib.sha256(der).hexdigest()
    row = CertificateRow(text, grant.id, print_, asked.request.ask.key, begins, ends, der)
    transaction.add_certificate(row)
    return row, chained(der, authority.chain_pem)


def issue_after(locum: Locum, asked: Requested, grant: Grant, authority: OpenBaoAuthority) -> str:
    """Have another authority sign, after the commit that spent the use, and record it.

    Returns:
        The certificate with its chain, PEM.

    Raises:
        Unavailable: it did not sign, signed something else, or the grant closed meanwhile;
            nothing is delivered, and what was signed is revoked.
    """
    wanted = granted(asked.request.ask, asked.primary)
    signed = authority.sign(asked.request.pem, wanted, _second(grant.ends_at))

    facts = facts_of(read_certificate(signed.certificate))
    row = CertificateRow(
        facts.serial,
        grant.id,
        facts.fingerprint,
        asked.request.ask.key,
        facts.not_before,
        facts.not_after,
        signed.certificate,
    )

    def keep(transaction: Transaction) -> bool:
        now, standing = locum.clock(), transaction.request_of(grant.id)
        transaction.add_certificate(row)
        entry = Entry("certificate.issued", now, grant=grant.id, facts=facts_for_ledger(row))
        record(transaction, entry)
        if standing is not None and isinstance(standing.state, Open):
            return True
        revoke(transaction, grant.id, CloseReason.FAILED, now)
        payload = msgspec.json.encode({"serial": row.serial})
        transaction.enqueue(Task("revoke", payload, now, now))
        return False

    if not locum.store.act(keep).result():
        raise Unavailable("The grant was closed meanwhile.", "")
    return chained(signed.certificate, signed.chain)


def facts_for_ledger(row: CertificateRow) -> dict[str, str | int | bool | list[str]]:
    """What the ledger keeps of a certificate: enough to find it anywhere."""
    return {
        "serial": row.serial,
        "fingerprint": row.fingerprint,
        "key": row.key,
        "not_after": row.not_after.isoformat(),
    }


def revoke(transaction: Transaction, grant: GrantId, how: CloseReason, now: datetime) -> list[str]:
    """Revoke every certificate of a grant, in the act that closes it."""
    why = _WHY.get(how, "cessationOfOperation")
    return list(transaction.revoke_certificates(grant, now, why))


def chained(der: bytes, chain: str) -> str:
    """A certificate in PEM, followed by those that signed it."""
    return ssl.DER_cert_to_PEM_cert(der) + chain


def _second(at: datetime) -> datetime:
    """The last whole second not after `at`: what a certificate can say."""
    return at.replace(microsecond=0)
