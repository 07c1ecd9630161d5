"""Hostile signing requests and questions over HTTP, and an Ed25519 authority end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from locum.service.revocations import LOOKED
from tests.pki.authorities import csr, named
from tests.pki.rotating import NAME, RotatingWorld
from tests.pki.test_rotation import Chain


def fresh() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def with_names(*names: x509.GeneralName) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(""))
    builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    return builder.sign(fresh(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def by_key(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(""))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def raw(text: str) -> x509.DNSName:
    return x509.DNSName._init_without_validation(text)  # type: ignore[attr-defined,no-any-return]


HOSTILE = {
    "NUL": with_names(raw(f"{NAME}\0.evil.example")),
    "trailing dot": with_names(x509.DNSName(f"{NAME}.")),
    "wildcard": with_names(x509.DNSName("*.internal")),
    "label of nothing": with_names(raw("payments..internal")),
    "IDN": with_names(raw("xn--pyments-6za.internal")),
    "another case of another": with_names(x509.DNSName("GATEWAY.internal")),
    "a network": with_names(x509.DNSName(NAME), x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))),
    "an address": with_names(x509.RFC822Name("root@payments.internal")),
    "a thousand names": with_names(*(x509.DNSName(f"{one}.internal") for one in range(200))),
    "RSA 1024": by_key(rsa.generate_private_key(65537, 1024)),
    "P-521": by_key(ec.generate_private_key(ec.SECP521R1())),
    "two": csr(fresh()) + csr(fresh()),
    "a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "half": csr(fresh())[:200],
    "huge": "-----BEGIN CERTIFICATE REQUEST-----\n" + "A" * 20_000,
    "text": "please",
}


@pytest.mark.parametrize("pem", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_request_is_refused_with_a_reason_and_the_next_is_signed(
    world: RotatingWorld, pem: str
) -> None:
    request = world.announce().json()["id"]
    told = world.activate(request, pem)
    assert told.status_code in (400, 403), told.text
    assert told.headers["content-type"] == "application/problem+json"
    problem = told.json()
    assert problem["detail"]
    assert "Traceback" not in told.text
    assert world.activate(request, csr(fresh())).status_code == 201


def test_what_is_too_large_is_not_read(world: RotatingWorld) -> None:
    request = world.announce().json()["id"]
    assert world.activate(request, "A" * 100_000).status_code in (400, 413)
    assert world.call("POST", "/pki/ocsp", content=b"x" * 100_000).status_code in (200, 413)
    assert world.activate(request, csr(fresh())).status_code == 201


def test_an_ed25519_authority_is_verified_by_openssl(tmp_path: Path) -> None:
    world = RotatingWorld(tmp_path / "world", kind="ed25519")
    try:
        grant, pem = world.opened()
        chain = Chain(world, tmp_path, pem)
        assert isinstance(chain.issuing.public_key(), ed25519.Ed25519PublicKey)
        assert "OK" in chain.verified()
        assert ": good" in chain.asked()
        assert world.cutover(grant, world.renewed()).json()["dead"]
        world.clock.advance(LOOKED)
        assert "certificate revoked" in chain.verified()
        assert ": revoked" in chain.asked()
    finally:
        world.close()
