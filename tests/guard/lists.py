"""An issuing authority made for a test, its certificates and its revocation lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.pki.authorities import named

MINUTE = timedelta(minutes=1)


class Authority:
    """Signs certificates and lists."""

    def __init__(self, name: str, now: datetime) -> None:
        self.name, self.now = named(name), now
        self._key = ec.generate_private_key(ec.SECP256R1())
        made = self._begun(1).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def issue(self, serial: int) -> bytes:
        """A certificate, DER, that is valid for an hour."""
        builder = self._begun(serial).subject_name(named("somebody"))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def revoke(
        self,
        serials: Iterable[int],
        *,
        begins: timedelta = timedelta(0),
        life: timedelta = 5 * MINUTE,
        extension: x509.ExtensionType | None = None,
    ) -> bytes:
        """A list, DER; with an extension, which is critical, it is not a complete one."""
        this = self.now + begins
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(this)
            .next_update(this + life)
        )
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(this)
            builder = builder.add_revoked_certificate(entry.build())
        if extension is not None:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _begun(self, serial: int) -> x509.CertificateBuilder:
        builder = (
            x509.CertificateBuilder()
            .issuer_name(self.name)
            .public_key(self._key.public_key())
            .serial_number(serial)
            .not_valid_before(self.now - MINUTE)
            .not_valid_after(self.now + 60 * MINUTE)
        )
        return builder.subject_name(self.name) if serial == 1 else builder
