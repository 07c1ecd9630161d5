"""A planned rotation over real TLS: what opens, what is refused, and what dies at cutover."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from locum.service.findings import findings
from locum.service.revocations import LOOKED
from tests.pki.authorities import csr, held
from tests.pki.rotating import PATH, RotatingWorld

MINUTE = timedelta(minutes=1)


def fresh() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def refused(answer: httpx.Response, saying: str, status: int = 403) -> None:
    assert answer.status_code == status, answer.text
    assert saying in answer.text, answer.text


def openssl(*words: str) -> str:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


class Chain:
    """A backup with its chain in files, as a relying party would check it."""

    def __init__(self, world: RotatingWorld, folder: Path, chain: str) -> None:
        self.world, self.folder = world, folder
        leaf, issuing, root = x509.load_pem_x509_certificates(chain.encode())
        self.leaf, self.issuing = leaf, issuing
        parts = [f"-----BEGIN{one}" for one in chain.split("-----BEGIN")[1:]]
        for name, pem in zip(("leaf", "issuing", "root"), parts, strict=True):
            (folder / f"{name}.pem").write_text(pem)
        assert root.subject == issuing.issuer

    def verified(self) -> str:
        """What `openssl verify` says with the revocation list of this moment."""
        der = self.world.call("GET", "/pki/crl.der").content
        (self.folder / "crl.der").write_bytes(der)
        openssl("crl", "-in", self.at("crl.der"), "-inform", "DER", "-out", self.at("crl.pem"))
        return openssl(
            "verify", "-crl_check", "-CAfile", self.at("root.pem"), "-untrusted",
            self.at("issuing.pem"), "-CRLfile", self.at("crl.pem"), self.at("leaf.pem"),
        )  # fmt: skip

    def asked(self) -> str:
        """What `openssl ocsp` reads out of the responder's answer."""
        openssl(
            "ocsp", "-issuer", self.at("issuing.pem"), "-cert", self.at("leaf.pem"), "-reqout",
            self.at("ask.der"),
        )  # fmt: skip
        answer = self.world.call(
            "POST", "/pki/ocsp", content=(self.folder / "ask.der").read_bytes(),
            headers={"Content-Type": "application/ocsp-request"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        (self.folder / "answer.der").write_bytes(answer.content)
        return openssl(
            "ocsp", "-no_nonce", "-issuer", self.at("issuing.pem"), "-cert",
            self.at("leaf.pem"), "-respin", self.at("answer.der"), "-reqin",
            self.at("ask.der"), "-CAfile", self.at("root.pem"),
            "-verify_other", self.at("issuing.pem"),
        )  # fmt: skip

    def at(self, name: str) -> str:
        return str(self.folder / name)


def test_a_backup_lives_inside_the_window_and_dies_at_cutover(
    world: RotatingWorld, tmp_path: Path
) -> None:
    grant, pem = world.opened()
    chain = Chain(world, tmp_path, pem)
    assert chain.leaf.not_valid_after_utc <= world.clock.now() + 20 * MINUTE
    assert "OK" in chain.verified()
    good = chain.asked()
    assert "Response verify OK" in good, good
    assert ": good" in good, good

    refused(world.cutover(grant, world.primary), "is to be replaced")
    answer = world.cutover(grant, world.renewed())
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["how"], told["dead"]) == ("cutover", True)

    world.clock.advance(LOOKED)
    assert "certificate revoked" in chain.verified()
    gone = chain.asked()
    assert "Response verify OK" in gone, gone
    assert ": revoked" in gone, gone
    assert "superseded" in gone, gone
    [certificate] = world.call("GET", f"/v1/grants/{grant}/certificates", world.primary).json()
    assert certificate["serial"] == f"{chain.leaf.serial_number:x}"
    assert certificate["revoked_at"] is not None


def test_outside_its_window_nothing_opens_and_it_is_said_when(world: RotatingWorld) -> None:
    asked = world.announce(opens=60 * MINUTE).json()
    refused(world.activate(asked["id"], csr(fresh())), "The window opens at")
    world.clock.advance(60 * MINUTE)
    assert world.activate(asked["id"], csr(fresh())).status_code == 201
    refused(world.announce(lasts=31 * MINUTE), "31 min long")
    refused(world.announce(opens=-40 * MINUTE), "The window ended")
    refused(world.announce(opens=timedelta(days=32)), "days ahead")


def test_a_certificate_ends_with_its_window(world: RotatingWorld) -> None:
    asked = world.announce(lasts=10 * MINUTE).json()
    told = world.activate(asked["id"], csr(fresh())).json()
    leaf = x509.load_pem_x509_certificate(told["credential"]["value"].encode())
    assert leaf.not_valid_after_utc <= world.clock.now() + 10 * MINUTE


@pytest.mark.parametrize(
    ("asked", "saying"),
    [
        ({"names": ("evil.internal",)}, "which the primary has not"),
        ({"names": ("*.internal",)}, "wildcard"),
        ({"subject": "somebody-else"}, "the primary's"),
        ({"authority": True}, "CA:TRUE"),
    ],
)
def test_a_wider_request_is_refused(
    world: RotatingWorld, asked: dict[str, Any], saying: str
) -> None:
    request = world.announce().json()["id"]
    answer = world.activate(request, csr(fresh(), **asked))
    refused(answer, saying, 400 if saying == "wildcard" else 403)
    assert world.activate(request, csr(fresh(), ("payments.internal",))).status_code == 201


def test_possession_is_proved_and_a_key_has_one_certificate_ever(world: RotatingWorld) -> None:
    request = world.announce().json()["id"]
    pem = csr(fresh())
    lines = pem.splitlines()
    forged = "\n".join([*lines[:-2], lines[-2][::-1], lines[-1]])
    assert world.activate(request, forged).status_code == 400
    refused(world.activate(request, ""), "`csr` is missing", 400)
    grant = world.activate(request, pem).json()["grant"]["id"]
    take = f"/v1/grants/{grant}/credential"
    refused(world.call("POST", take, world.primary, json={"csr": pem}), "issued for this key")
    once_more = world.call("POST", take, world.primary, json={"csr": csr(fresh())})
    assert once_more.status_code == 201
    beyond = world.call("POST", take, world.primary, json={"csr": csr(fresh())})
    refused(beyond, "2 of 2 times")


def test_another_identity_touches_nothing(world: RotatingWorld) -> None:
    refused(world.announce(world.gateway), "no such thing", 404)
    grant, _ = world.opened()
    refused(world.cutover(grant, world.gateway), "no such thing", 404)
    for path in (f"/v1/grants/{grant}", f"/v1/requests/rq_{grant[3:]}"):
        assert world.call("GET", path, world.gateway).status_code == 404
    for path in ("/v1/grants", "/v1/findings"):
        assert world.call("GET", path, world.primary).status_code == 403
    shown = [one["path"] for one in world.call("GET", "/v1/paths", world.primary).json()]
    assert set(shown) == {PATH, "payments-api/approved"}
    assert world.call("GET", "/v1/paths", world.gateway).json() == []
    assert world.call("GET", f"/v1/grants/{grant}").status_code == 401


def test_a_guard_that_saw_the_new_certificate_is_believed_and_others_are_not(
    world: RotatingWorld,
) -> None:
    grant, _ = world.opened()
    new, old = world.renewed(), world.primary
    answer = world.cutover(grant, old, certificate=new.pem, seen="me")
    refused(answer, "does not count")
    guard = world.gateway
    refused(world.cutover(grant, guard, certificate=guard.pem, seen="tls"), "not one of")
    refused(world.cutover(grant, guard, certificate=old.pem, seen="tls"), "is to be replaced")
    answer = world.cutover(grant, guard, certificate=new.pem, seen="access.log")
    assert answer.json()["how"] == "cutover"


def test_a_window_that_passes_without_cutover_is_closed_and_found(
    world: RotatingWorld,
) -> None:
    grant, _ = world.opened()
    world.clock.advance(20 * MINUTE)
    world.settle()
    [certificate] = world.call("GET", f"/v1/grants/{grant}/certificates", world.primary).json()
    assert certificate["reason"] == "cessationOfOperation"
    locum = world.started.locum
    found = locum.store.look(lambda transaction: findings(locum, transaction))
    facts = [one.breach.fact for one in found if str(one.path) == PATH]
    assert any("did not finish" in fact for fact in facts), facts


def test_the_responder_says_good_of_issued_certificates_only(
    world: RotatingWorld, tmp_path: Path
) -> None:
    _, pem = world.opened()
    chain = Chain(world, tmp_path, pem)
    openssl(
        "ocsp", "-issuer", chain.at("issuing.pem"), "-serial", "0x1234", "-reqout",
        chain.at("odd.der"),
    )  # fmt: skip
    odd = (tmp_path / "odd.der").read_bytes()
    answer = x509.ocsp.load_der_ocsp_response(world.call("POST", "/pki/ocsp", content=odd).content)
    assert answer.certificate_status is x509.ocsp.OCSPCertStatus.UNKNOWN
    hostile = world.call("POST", "/pki/ocsp", content=b"\x30\x80" * 100)
    refusal = x509.ocsp.load_der_ocsp_response(hostile.content)
    assert refusal.response_status is x509.ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_backup_is_nobody_to_locum(world: RotatingWorld, tmp_path: Path) -> None:
    asked, key = world.announce().json()["id"], fresh()
    value = world.activate(asked, csr(key)).json()["credential"]["value"]
    (tmp_path / "backup.pem").write_text(value)
    backup = held(x509.load_pem_x509_certificate(value.encode()), key, tmp_path, "backup")
    with pytest.raises(httpx.HTTPError):
        world.call("GET", f"/v1/requests/{asked}", backup)
