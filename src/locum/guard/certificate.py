"""Whose certificate is it: a backup of Locum's authority, or another that is none of our business.

A backup is told by its issuer's name alone, whoever signed it: a certificate that claims to be
Locum's is treated as one, so a second authority of that name opens nothing.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from locum.model.refusal import MalformedInput

_KEPT = 4_096


class Certificate(msgspec.Struct, frozen=True):
    """What a guard must know of a client certificate that the TLS server has verified.

    Args:
        fingerprint: SHA-256, lower-case hexadecimal.
        backup: whether Locum's authority issued it.
    """

    der: bytes
    serial: int
    fingerprint: str
    not_before: datetime
    not_after: datetime
    backup: bool


class Issuer:
    """Locum's issuing authority.

    Args:
        pem: its certificate; of several, as `/pki/ca.pem` gives them, the first.

    Raises:
        MalformedInput: no certificate, or not that of an authority.
    """

    def __init__(self, pem: str) -> None:
        self.certificate = issuing_authority(pem)
        self.read = lru_cache(_KEPT)(self._read)

    def _read(self, der: bytes) -> Certificate:
        """Read a client certificate.

        Raises:
            MalformedInput: it cannot be read.
        """
        try:
            found = x509.load_der_x509_certificate(der)
            return Certificate(
                der,
                found.serial_number,
                found.fingerprint(hashes.SHA256()).hex(),
                found.not_valid_before_utc,
                found.not_valid_after_utc,
                found.issuer == self.certificate.subject,
            )
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise MalformedInput(
                "The client certificate cannot be read.", "Present another."
            ) from None


def issuing_authority(pem: str) -> x509.Certificate:
    """The first certificate of a chain that begins with the issuing authority.

    Raises:
        MalformedInput: no certificate, or not that of an authority.
    """
    try:
        found = x509.load_pem_x509_certificates(pem.encode())[0]
        limits = found.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        limits = None
    if limits is None or not limits.ca:
        raise MalformedInput(
            "This is not the certificate of an authority.",
            "Take Locum's: GET /pki/ca.pem.",
        )
    return found
