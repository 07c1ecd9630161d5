"""The company's own certificate authority in the demo: it signs primaries, as theirs would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY = timedelta(days=1)
_EXTENDED = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


class CorporateAuthority:
    """Signs certificates; everything it makes is put into its folder.

    Args:
        folder: where files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, generate_private_key(SECP256R1())
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = datetime.now(UTC)
        self._name = _named("Example Corporate CA")
        self.certificate = (
            _begun(self._key, self._name, self._name, now - _DAY, now + 30 * _DAY)
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file, self.list_file = folder / "corporate.pem", folder / "corporate-crl.pem"
        self.file.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        revoked = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._name)
            .last_update(now - _DAY)
            .next_update(now + 30 * _DAY)
            .sign(self._key, hashes.SHA256())
        )
        self.list_file.write_bytes(revoked.public_bytes(Encoding.PEM))

    def issue(self, name: str, names: Sequence[str], begins: datetime) -> tuple[Path, Path]:
        """Sign a certificate for a fresh key; gives the files of both, PEM.

        Args:
            name: of the files.
            names: DNS names and IP addresses; the first is the common name.
        """
        key = generate_private_key(SECP256R1())
        alternative = [
            x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one)
            for one in names
        ]
        made = (
            _begun(key, _named(names[0]), self._name, begins, begins + 10 * _DAY)
            .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(_EXTENDED)), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate, its_key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(made.public_bytes(Encoding.PEM))
        its_key.touch(mode=0o600)
        its_key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, its_key


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    key: EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
