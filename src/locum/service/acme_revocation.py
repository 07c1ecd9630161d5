"""Revocation by ACME: the grant of the certificate closes, and with it all that it yielded.

Whoever holds an account of the path may, and whoever holds the certificate's own key. It does not
rest on the primary: ending a fallback is never refused for want of it. Source: RFC 8555 §7.6.
"""

from __future__ import annotations

from locum.evidence.x509 import fingerprint, read_certificate
from locum.model.acme import AcmeAccount, AcmeError
from locum.model.request import CloseReason, Open, ask_of
from locum.service.activate import close_grant
from locum.service.record import grant_row
from locum.service.wiring import Locum
from locum.store.port import Transaction

_COMPROMISED = 1
_REASONS = frozenset({0, 1, 3, 4, 5})
"""Reasons of RFC 5280 §5.3.1 that the holder of a leaf may give."""


def revoke(
    locum: Locum,
    transaction: Transaction,
    der: bytes,
    reason: int,
    *,
    account: AcmeAccount | None,
    key: str,
) -> None:
    """Close the grant of a certificate, which revokes everything that was issued under it.

    Args:
        der: the certificate.
        account: who asks, by an account of the same path; `None` where the certificate's own key
            signed.
        key: SHA-256 of the public key that signed, hexadecimal.

    Raises:
        AcmeError: it is none of ours or of theirs, or is revoked already.
    """
    if reason not in _REASONS:
        raise AcmeError("badRevocationReason", f"The reason {reason} is not taken.", "Give 0 or 1.")
    shown = read_certificate(der)
    issued = transaction.certificate(f"{shown.serial_number:x}")
    if issued is None or issued.fingerprint != fingerprint(shown):
        raise _not_yours()
    row = grant_row(transaction, issued.grant)
    asked = ask_of(row.state)
    if account.path != asked.path if account is not None else issued.key != key:
        raise _not_yours()
    if issued.revoked_at is not None or not isinstance(row.state, Open):
        raise AcmeError("alreadyRevoked", "The certificate is revoked already.", "Nothing to do.")
    how = CloseReason.LEAKED if reason == _COMPROMISED else CloseReason.REVOKED
    by = f"acme:{account.jkt}" if account is not None else f"certificate:{issued.serial}"
    close_grant(locum, transaction, row, how, None, facts={"asked_by": by})


def _not_yours() -> AcmeError:
    return AcmeError(
        "unauthorized",
        "The certificate is none that this key may revoke.",
        "Sign with the account of its path, or with its own key.",
    )
