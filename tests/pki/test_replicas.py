"""Two replicas on one PostgreSQL: either opens, either revokes, and both say so."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from locum.cli.fronts import listen
from locum.cli.serving import server_of
from locum.service.starting import start
from tests.acme.client import AcmeClient, jws
from tests.guard.service import until
from tests.pki.authorities import csr
from tests.pki.rotating import RotatingWorld, RunningClock, lasting_port
from tests.servers.postgres import PostgresProcess


@dataclass
class Replicas:
    """The world, and the origin of a second replica on its database."""

    world: RotatingWorld
    other: str

    def call(self, origin: str, method: str, path: str, **how: object) -> httpx.Response:
        context = self.world.context(self.world.primary)
        with httpx.Client(verify=context, timeout=20) as client:
            return client.request(method, origin + path, **how)  # type: ignore[arg-type]

    @property
    def origins(self) -> tuple[str, str]:
        return self.world.origin, self.other


@pytest.fixture
def replicas(postgres_server: PostgresProcess, tmp_path: Path) -> Iterator[Replicas]:
    url = postgres_server.create_database(f"pki_{secrets.token_hex(6)}")
    world = RotatingWorld(tmp_path, clock=RunningClock(), store=url)
    port = lasting_port()
    started = start(world.data, world.clock.now, secrets.token_bytes)
    server = server_of(started, port)
    listening = listen("127.0.0.1", port, 1)
    thread = threading.Thread(target=server.run, args=(listening,), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Replicas(world, f"https://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(timeout=15)
    started.locum.store.close()
    world.close()


def test_what_one_replica_opened_the_other_revokes_and_both_refuse(replicas: Replicas) -> None:
    one, other = replicas.origins
    grant, chain = replicas.world.opened()
    leaf, issuer, *_ = x509.load_pem_x509_certificates(chain.encode())
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA256())
    asked = builder.build().public_bytes(Encoding.DER)

    def status(origin: str) -> ocsp.OCSPCertStatus:
        answer = replicas.call(origin, "POST", "/pki/ocsp", content=asked)
        return ocsp.load_der_ocsp_response(answer.content).certificate_status

    assert {status(origin) for origin in (one, other)} == {ocsp.OCSPCertStatus.GOOD}
    context = replicas.world.context(replicas.world.renewed())
    with httpx.Client(verify=context) as client:
        told = client.post(f"{other}/v1/grants/{grant}/cutover")
    assert told.json()["dead"], told.text

    def listed(origin: str) -> bool:
        found = x509.load_der_x509_crl(replicas.call(origin, "GET", "/pki/crl.der").content)
        return found.get_revoked_certificate_by_serial_number(leaf.serial_number) is not None

    for origin in (one, other):
        assert status(origin) is ocsp.OCSPCertStatus.REVOKED
        until(lambda origin=origin: listed(origin))  # type: ignore[misc]


def test_of_two_replicas_that_open_one_request_at_once_one_issues(replicas: Replicas) -> None:
    for _ in range(5):
        request = replicas.world.announce().json()["id"]
        asked = [csr(ec.generate_private_key(ec.SECP256R1())) for _ in replicas.origins]
        with ThreadPoolExecutor(2) as both:
            answers = list(
                both.map(
                    lambda origin, pem, request=request: replicas.call(
                        origin, "POST", f"/v1/requests/{request}/activate", json={"csr": pem}
                    ),
                    replicas.origins,
                    asked,
                )
            )
        assert sorted(one.status_code for one in answers) == [201, 409], [
            one.text for one in answers
        ]
        [won] = [one.json() for one in answers if one.status_code == 201]
        grant = won["grant"]["id"]
        found = replicas.call(replicas.other, "GET", f"/v1/grants/{grant}/certificates")
        assert len(found.json()) == 1
        closed = replicas.call(replicas.other, "POST", f"/v1/grants/{grant}/close")
        assert closed.status_code == 200, closed.text


def test_an_acme_nonce_is_spent_once_among_all_replicas(replicas: Replicas) -> None:
    client = AcmeClient(replicas.world)
    client.register()
    nonce = client.nonce()
    assert client.post(client.account, nonce=nonce).status_code == 200
    # Every replica says the configured origin, so a signed URL is the same at each.
    elsewhere = client.account.replace(replicas.world.origin, replicas.other)
    body = jws(client.key, {"kid": client.account, "url": client.account, "nonce": nonce})
    answer = client.send(elsewhere, body)
    assert answer.status_code in (400, 403), answer.text
    client.close()
