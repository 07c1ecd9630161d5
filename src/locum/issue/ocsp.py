"""Read OCSP requests and build answers. Source: RFC 6960, RFC 9654 (nonce), RFC 5019."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from locum.evidence.x509 import guarded
from locum.issue.authority import IssuingAuthority, Responder
from locum.issue.revocation_list import REASONS
from locum.model.refusal import MalformedInput

LARGEST, LONGEST_NONCE = 4_096, 128
_HASHES: dict[str, hashes.SHA1 | hashes.SHA256] = {
    # SHA-1 names the issuer here, and secures nothing; most clients know no other (RFC 5019).
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha256": hashes.SHA256(),
}
_REFUSED = {
    "malformed": ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
    "unauthorized": ocsp.OCSPResponseStatus.UNAUTHORIZED,
    "try_later": ocsp.OCSPResponseStatus.TRY_LATER,
    "internal_error": ocsp.OCSPResponseStatus.INTERNAL_ERROR,
}
_STATUS = {
    "good": ocsp.OCSPCertStatus.GOOD,
    "revoked": ocsp.OCSPCertStatus.REVOKED,
    "unknown": ocsp.OCSPCertStatus.UNKNOWN,
}
_HOW = "Ask for one certificate: `openssl ocsp -issuer CA.pem -cert CERT.pem -url URL`."
Status = Literal["good", "revoked", "unknown"]


class OcspAsk(msgspec.Struct, frozen=True):
    """A question about one certificate."""

    serial: int
    name_hash: bytes
    key_hash: bytes
    algorithm: str
    nonce: bytes | None = None


def read_ocsp_request(der: bytes) -> OcspAsk:
    """Read a request for one certificate.

    Raises:
        MalformedInput: it is none, asks for several, or its nonce is too long.
    """
    if len(der) > LARGEST:
        raise MalformedInput(f"The OCSP request is longer than {LARGEST} bytes.", _HOW)
    return guarded("The OCSP request", _HOW, lambda: _read(der))


def _read(der: bytes) -> OcspAsk:
    request = ocsp.load_der_ocsp_request(der)
    algorithm = request.hash_algorithm.name
    if algorithm not in _HASHES:
        raise MalformedInput(f"The OCSP request hashes with {algorithm}.", "Use SHA-1 or SHA-256.")
    nonce = None
    for extension in request.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            nonce = extension.value.nonce
        elif extension.critical:
            raise MalformedInput("The OCSP request has a critical extension.", _HOW)
    if nonce is not None and not 0 < len(nonce) <= LONGEST_NONCE:
        raise MalformedInput("The OCSP request's nonce has a length that is not allowed.", _HOW)
    return OcspAsk(
        request.serial_number, request.issuer_name_hash, request.issuer_key_hash, algorithm, nonce
    )


def path_request(base64_text: str) -> bytes:
    """The request in the path of a GET (RFC 6960 §A.1).

    Raises:
        MalformedInput: it is no base64.
    """
    try:
        if len(base64_text) > 2 * LARGEST:
            raise ValueError
        padded = base64_text + "=" * (-len(base64_text) % 4)
        return base64.b64decode(padded.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        raise MalformedInput("The path holds no OCSP request in base64.", _HOW) from None


def matches(ask: OcspAsk, authority: IssuingAuthority) -> bool:
    """Whether a question is about a certificate of this authority."""
    name, key = _hashes_of(authority.certificate, ask.algorithm)
    return (ask.name_hash, ask.key_hash) == (name, key)


def _hashes_of(certificate: x509.Certificate, algorithm: str) -> tuple[bytes, bytes]:
    """Hashes of the issuer's name and of its key's own bits (RFC 6960 §4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, EllipticCurvePublicKey):
        bits = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    else:
        bits = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _digest(algorithm, certificate.subject.public_bytes()), _digest(algorithm, bits)


def _digest(algorithm: str, data: bytes) -> bytes:
    digest = hashes.Hash(_HASHES[algorithm])
    digest.update(data)
    return digest.finalize()


def answer_ocsp(
    responder: Responder,
    ask: OcspAsk,
    status: Status,
    revoked_at: datetime | None,
    reason: str | None,
    *,
    this_update: datetime,
    next_update: datetime,
) -> bytes:
    """Build and sign the answer to one question, DER.

    Args:
        revoked_at, reason: where it is revoked; the reason in RFC 5280's words.
    """
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=ask.name_hash,
            issuer_key_hash=ask.key_hash,
            serial_number=ask.serial,
            algorithm=_HASHES[ask.algorithm],
            cert_status=_STATUS[status],
            this_update=this_update.replace(tzinfo=None),
            next_update=next_update.replace(tzinfo=None),
            revocation_time=None if revoked_at is None else revoked_at.replace(tzinfo=None),
            revocation_reason=REASONS.get(reason or ""),
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
        .certificates([responder.certificate])
    )
    if ask.nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(ask.nonce), critical=False)
    return builder.sign(responder.key, hashes.SHA256()).public_bytes(Encoding.DER)


def refuse_ocsp(kind: Literal["malformed", "unauthorized", "try_later", "internal_error"]) -> bytes:
    """An answer that says that there is none, DER."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(_REFUSED[kind]).public_bytes(Encoding.DER)
