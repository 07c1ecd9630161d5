"""A corporate certificate authority, and the workloads' keys and certificates that it signs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOUR = timedelta(hours=1)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) if name else x509.Name([])


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass
class Held:
    """A certificate and its key, in files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path
    key_file: Path

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def files(self) -> tuple[str, str]:
        return str(self.certificate_file), str(self.key_file)


class CorporateAuthority:
    """What signs the primaries."""

    def __init__(self, folder: Path, now: datetime, name: str = "Corporate CA") -> None:
        self.folder, self.now, self.key = folder, now, ec.generate_private_key(ec.SECP256R1())
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(name))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 24 * HOUR)
            .not_valid_after(now + 24000 * HOUR)
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(usage(signs=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        self._count = 0

    @property
    def pem(self) -> str:
        return self.file.read_text()

    def revocation_list(self) -> str:
        """An empty list, PEM."""
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(self.now - HOUR)
            .next_update(self.now + 100 * HOUR)
            .sign(self.key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
            .decode()
        )

    def issue(
        self,
        name: str,
        names: tuple[str, ...] = (),
        *,
        begins: timedelta = timedelta(0),
        life: timedelta = 1000 * HOUR,
        server: bool = False,
    ) -> Held:
        """A workload's certificate with a fresh key."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative: list[x509.GeneralName] = [
            x509.IPAddress(ip_address(one))
            if one[0].isdigit()
            else x509.UniformResourceIdentifier(one)
            if "://" in one
            else x509.DNSName(one)
            for one in names
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + begins)
            .not_valid_after(self.now + begins + life)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(usage(), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [
                        ExtendedKeyUsageOID.CLIENT_AUTH,
                        *([ExtendedKeyUsageOID.SERVER_AUTH] if server else []),
                    ]
                ),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if alternative:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternative), critical=False
            )
        self._count += 1
        return held(builder.sign(self.key, hashes.SHA256()), key, self.folder, f"{self._count}")


def held(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, folder: Path, name: str
) -> Held:
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key_pem(key))
    return Held(certificate, key, *files)


def usage(*, signs: bool = False) -> x509.KeyUsage:
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


def csr(
    key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...] = (),
    *,
    subject: str = "",
    authority: bool = False,
) -> str:
    """A signing request, PEM."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(subject))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False
        )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
