"""A revocation list, read only as far as its authority signed it.

Believed is a complete list that the given authority signed, which has begun and whose `nextUpdate`
has not come. A part of a list, a delta, or one with a critical extension that is unknown here says
nothing of the certificates that it leaves out, so it is refused. Source: RFC 5280 §5, §6.3.3.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from locum.model.refusal import MalformedInput, Unavailable

LARGEST = 64 * 1024 * 1024
CLOCKS_DIFFER = timedelta(minutes=5)
_SIGNERS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
_Signer = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class RevocationList(msgspec.Struct, frozen=True):
    """A list whose signature was verified."""

    der: bytes
    serials: frozenset[int]
    this_update: datetime
    next_update: datetime


def read_list(der: bytes, authority: x509.Certificate, now: datetime) -> RevocationList:
    """Read a complete list.

    Args:
        authority: who must have signed it.

    Raises:
        MalformedInput: it is no complete list, or somebody else signed it.
        Unavailable: it is too old, or of the future.
    """
    if len(der) > LARGEST:
        raise MalformedInput("The revocation list is too large.", "Ask who publishes it.")
    try:
        found = x509.load_der_x509_crl(der)
        signer = authority.public_key()
        signed = isinstance(signer, _SIGNERS) and _signed(found, authority, signer)
        critical = [one.oid.dotted_string for one in found.extensions if one.critical]
        serials = frozenset(one.serial_number for one in found)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise MalformedInput(
            "The revocation list cannot be read.", "Ask who publishes it for one in DER."
        ) from None
    if not signed:
        raise MalformedInput(
            f"The revocation list is not signed by {authority.subject.rfc4514_string()}.",
            "Check whose authority is configured here, and who answers for Locum.",
        )
    if critical:
        raise MalformedInput(
            f"The revocation list is not a complete one (extension {critical[0]}).",
            "Fetch the complete list: /pki/crl.der.",
        )
    begins, ends = found.last_update_utc, found.next_update_utc
    if ends is None or now >= ends or begins > now + CLOCKS_DIFFER:
        raise Unavailable(
            f"The revocation list is of {begins:%Y-%m-%d %H:%M:%SZ} and does not stand now.",
            "Check the clocks, and whether the authority still publishes.",
        )
    return RevocationList(der, serials, begins, ends)


def _signed(
    found: x509.CertificateRevocationList, authority: x509.Certificate, signer: _Signer
) -> bool:
    return found.issuer == authority.subject and found.is_signature_valid(signer)
