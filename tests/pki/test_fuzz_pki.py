"""Whatever bytes come in: what reads certificates, requests and questions refuses with a reason.

`LOCUM_FUZZ` says how many examples each parser gets; `make fuzz` asks for 100,000.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locum.evidence.x509 import read_certificate
from locum.issue.authority import make_intermediate, make_root
from locum.issue.ocsp import path_request, read_ocsp_request
from locum.issue.signing_request import read_signing_request
from locum.model.refusal import MalformedInput
from tests.pki.authorities import csr

EXAMPLES = int(os.environ.get("LOCUM_FUZZ", "200"))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ROOT = make_root("p256", "root", NOW, os.urandom)
_, CHAIN = make_intermediate(*ROOT, "p256", "issuing", NOW, os.urandom)
ISSUING, ABOVE = x509.load_pem_x509_certificates(CHAIN.encode())
LEAF = ISSUING.public_bytes(Encoding.DER)
ASKED = (
    ocsp.OCSPRequestBuilder()
    .add_certificate(ISSUING, ABOVE, hashes.SHA1())
    .add_extension(x509.OCSPNonce(b"n" * 16), critical=False)
    .build()
    .public_bytes(Encoding.DER)
)
REQUEST = x509.load_pem_x509_csr(
    csr(ec.generate_private_key(ec.SECP256R1()), ("a.example.com", "b.example.com")).encode()
).public_bytes(Encoding.DER)


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """A valid thing with bytes flipped, cut out, doubled or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1)) if data else 0
        match draw(st.sampled_from(["flip", "cut", "splice", "double"])):
            case "flip" if data:
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at : at + draw(st.integers(1, 40))]
            case "splice":
                data[at:at] = draw(st.binary(max_size=20))
            case _:
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
    return bytes(data)


def as_csr(data: bytes) -> str:
    body = base64.encodebytes(data).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


PARSERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "certificate": (LEAF, read_certificate),
    "signing request": (REQUEST, lambda data: read_signing_request(as_csr(data))),
    "ocsp": (ASKED, read_ocsp_request),
    "ocsp by get": (
        base64.b64encode(ASKED),
        lambda data: read_ocsp_request(path_request(data.decode("latin-1"))),
    ),
}


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_what_is_whole_is_read(name: str) -> None:
    whole, read = PARSERS[name]
    assert read(whole) is not None


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_what_is_broken_is_refused_with_a_reason(name: str) -> None:
    whole, read = PARSERS[name]

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.one_of(broken(whole), st.binary(max_size=400)))
    def every(data: bytes) -> None:
        with suppress(MalformedInput):
            read(data)

    every()
