"""OpenBao signs, Locum decides: the same rotation, and the end of what OpenBao signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from locum.issue.authority_openbao import OpenBaoAuthority
from locum.service.outbox import work_off
from locum.service.rounds import WORKERS
from tests.issue.test_authority_openbao import Mount
from tests.issue.test_authority_openbao import mount as mount
from tests.pki.authorities import csr
from tests.pki.rotating import NAME, RotatingWorld, RunningClock

NAMES = (NAME, "pay.example.com")
SUBJECT = "payments"


@pytest.fixture
def world(mount: Mount, tmp_path: Path) -> Iterator[RotatingWorld]:
    mount.set_addresses()
    more = (
        'issuer = "openbao"\n[vault]\n'
        f'url = "{mount.server.address}"\ntoken_file = "{mount.folder / "token"}"\n'
    )
    made = RotatingWorld(tmp_path, clock=RunningClock(), more=more)
    assert isinstance(made.started.locum.authority, OpenBaoAuthority)
    yield made
    made.close()


def fresh() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def settle(world: RotatingWorld) -> None:
    while work_off(world.started.locum, WORKERS):
        continue


def test_what_openbao_signed_is_recorded_and_revoked_there_at_the_cutover(
    world: RotatingWorld,
) -> None:
    assert world.call("GET", "/readyz").status_code == 200
    request = world.announce().json()["id"]
    told = world.activate(request, csr(fresh(), NAMES, subject=SUBJECT))
    assert told.status_code == 201, told.text
    grant, chain = told.json()["grant"]["id"], told.json()["credential"]["value"]
    leaf, *above = x509.load_pem_x509_certificates(chain.encode())
    assert above
    leaf.verify_directly_issued_by(above[0])
    serial = f"{leaf.serial_number:x}"
    [row] = world.call("GET", f"/v1/grants/{grant}/certificates", world.primary).json()
    assert (row["serial"], row["revoked_at"]) == (serial, None)
    closed = world.cutover(grant, world.renewed()).json()
    assert (closed["how"], closed["dead"]) == ("cutover", False)
    settle(world)
    state = world.call("GET", f"/v1/grants/{grant}", world.primary).json()
    assert state["dead"]
    authority = world.started.locum.authority
    assert isinstance(authority, OpenBaoAuthority)
    assert authority.revoked(serial) is not None
    listed = x509.load_der_x509_crl(world.call("GET", "/pki/crl.der").content)
    assert listed.get_revoked_certificate_by_serial_number(leaf.serial_number) is not None


def test_a_request_that_openbao_could_not_sign_is_refused_before_a_use_is_spent(
    world: RotatingWorld,
) -> None:
    request = world.announce().json()["id"]
    told = world.activate(request, csr(fresh()))
    assert told.status_code == 400, told.text
    assert "names nobody" in told.text
    state = world.call("GET", f"/v1/requests/{request}", world.primary).json()
    assert state["state"] == "ready"
    assert world.activate(request, csr(fresh(), NAMES, subject=SUBJECT)).status_code == 201


def test_while_openbao_is_sealed_nothing_is_issued_and_it_is_not_ready(
    world: RotatingWorld, mount: Mount
) -> None:
    request = world.announce().json()["id"]
    mount.server.seal()
    try:
        assert world.call("GET", "/readyz").status_code == 503
        told = world.activate(request, csr(fresh(), NAMES, subject=SUBJECT))
        assert told.status_code == 503, told.text
        assert "The grant is closed" in told.text
    finally:
        mount.server.unseal()
    assert world.call("GET", "/readyz").status_code == 200


def test_a_revocation_is_tried_until_openbao_is_back(world: RotatingWorld, mount: Mount) -> None:
    request = world.announce().json()["id"]
    told = world.activate(request, csr(fresh(), NAMES, subject=SUBJECT)).json()
    leaf = x509.load_pem_x509_certificates(told["credential"]["value"].encode())[0]
    mount.server.seal()
    try:
        closed = world.cutover(told["grant"]["id"], world.renewed())
        assert closed.json()["how"] == "cutover"
        work_off(world.started.locum, WORKERS)
    finally:
        mount.server.unseal()
    authority = world.started.locum.authority
    assert isinstance(authority, OpenBaoAuthority)
    for _ in range(2_000):
        work_off(world.started.locum, WORKERS)
        if authority.revoked(f"{leaf.serial_number:x}") is not None:
            break
    assert authority.revoked(f"{leaf.serial_number:x}") is not None
