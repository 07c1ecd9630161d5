"""What the OCSP responder answers to good, odd and hostile questions. Source: RFC 6960, 9654."""

from __future__ import annotations

import base64
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.pki.rotating import RotatingWorld

MALFORMED = ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def question(leaf: x509.Certificate, issuer: x509.Certificate, nonce: bytes | None = None) -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def post(world: RotatingWorld, der: bytes) -> httpx.Response:
    return world.call("POST", "/pki/ocsp", content=der)


def read(answer: httpx.Response) -> ocsp.OCSPResponse:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(answer.content)


def issued(world: RotatingWorld) -> tuple[str, x509.Certificate, x509.Certificate]:
    grant, chain = world.opened()
    leaf, issuer, *_ = x509.load_pem_x509_certificates(chain.encode())
    return grant, leaf, issuer


def test_the_answer_by_get_is_the_answer_by_post_before_and_after_the_cutover(
    world: RotatingWorld,
) -> None:
    grant, leaf, issuer = issued(world)
    texts = [
        base64.b64encode(question(leaf, issuer, bytes([number]) * 16)).decode()
        for number in range(200)
    ]
    odd = [text for text in texts if "/" in text and "+" in text][:3]
    assert odd
    for text in odd:
        for path in (text, quote(text, safe=""), quote(text, safe="/+=")):
            found = read(world.call("GET", f"/pki/ocsp/{path}"))
            assert found.certificate_status is ocsp.OCSPCertStatus.GOOD, path
    assert world.cutover(grant, world.renewed()).json()["dead"]
    for answer in (
        post(world, question(leaf, issuer)),
        world.call("GET", f"/pki/ocsp/{quote(odd[0], safe='')}"),
    ):
        found = read(answer)
        assert found.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert found.serial_number == leaf.serial_number


def test_the_responder_is_delegated_by_the_issuer_and_need_not_be_checked(
    world: RotatingWorld,
) -> None:
    _, leaf, issuer = issued(world)
    [responder] = read(post(world, question(leaf, issuer))).certificates
    responder.verify_directly_issued_by(issuer)
    responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.OCSP_SIGNING]


@pytest.mark.parametrize("length", [1, 32, 128])
def test_a_nonce_of_an_allowed_length_is_echoed(world: RotatingWorld, length: int) -> None:
    _, leaf, issuer = issued(world)
    found = read(post(world, question(leaf, issuer, b"n" * length)))
    echoed = found.extensions.get_extension_for_class(x509.OCSPNonce).value
    assert echoed.nonce == b"n" * length


@pytest.mark.parametrize("length", [0, 129])
def test_a_nonce_of_another_length_is_malformed(world: RotatingWorld, length: int) -> None:
    _, leaf, issuer = issued(world)
    answer = read(post(world, question(leaf, issuer, b"n" * length)))
    assert answer.response_status is MALFORMED


def test_a_serial_that_was_never_issued_is_unknown_and_a_foreign_issuer_unauthorized(
    world: RotatingWorld,
) -> None:
    _, leaf, issuer = issued(world)
    known = ocsp.load_der_ocsp_request(question(leaf, issuer))
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        known.issuer_name_hash, known.issuer_key_hash, leaf.serial_number + 1, hashes.SHA1()
    )
    never = read(post(world, builder.build().public_bytes(Encoding.DER)))
    assert never.certificate_status is ocsp.OCSPCertStatus.UNKNOWN
    foreign = read(post(world, question(world.primary.certificate, world.corporate.certificate)))
    assert foreign.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    assert read(post(world, question(leaf, issuer))).certificate_status is ocsp.OCSPCertStatus.GOOD


def test_what_may_change_is_not_kept_and_what_is_final_no_longer_than_it_says(
    world: RotatingWorld,
) -> None:
    grant, leaf, issuer = issued(world)
    good = post(world, question(leaf, issuer))
    assert good.headers["cache-control"] == "no-cache, no-store"
    assert world.cutover(grant, world.renewed()).json()["dead"]
    answer = post(world, question(leaf, issuer))
    found = read(answer)
    assert found.next_update_utc is not None
    assert answer.headers["expires"] == found.next_update_utc.strftime("%a, %d %b %Y %H:%M:%S GMT")
    age = int(answer.headers["cache-control"].split("max-age=")[1].split(",")[0])
    assert 0 < age <= (found.next_update_utc - found.this_update_utc).total_seconds()


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", b"x" * 5_000])
def test_what_is_no_question_is_malformed_and_the_next_one_is_answered(
    world: RotatingWorld, der: bytes
) -> None:
    _, leaf, issuer = issued(world)
    assert read(post(world, der)).response_status is MALFORMED
    by_get = world.call("GET", f"/pki/ocsp/{quote('!' + der.hex()[:200], safe='')}")
    assert read(by_get).response_status is MALFORMED
    assert read(post(world, question(leaf, issuer))).certificate_status is ocsp.OCSPCertStatus.GOOD
