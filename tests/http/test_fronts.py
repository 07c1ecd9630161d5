"""A Locum behind fronts: the same answers as from one process, and none outlives the other."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from locum.model.names import IdentityName
from locum.model.secret import Secret
from locum.service.people import issue_invitation
from locum.service.starting import make_folder, start
from tests.http.test_static_key import STATIC
from tests.http.world import ESTATE, Person, ask, opened
from tests.servers.program import free_port, launch, wait_until

ACTIVATE = "/v1/requests/{}/activate"


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Served:
    """`locum serve` with two fronts, as a program of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.port = WallClock(), free_port()
        self.origin, self.data = f"http://127.0.0.1:{self.port}", folder / "data"
        settings = (
            f'[server]\norigin = "{self.origin}"\nport = {self.port}\nfronts = 2\n'
            "calls_per_second = 1000\nburst = 1000\n"
        )
        make_folder(self.data, settings, self.clock.now, secrets.token_bytes)
        (self.data / "estate.yaml").write_text(
            (ESTATE.rstrip() + STATIC).format(closed=free_port())
        )
        codes = self._invitations("alice", "bob")
        self.log = folder / "log"
        self.process = launch(self.command(), self.log, folder=folder)
        wait_until(self.ready, self.process, self.log, "locum serve")
        self.people = {name: self._joined(code) for name, code in codes.items()}

    def command(self) -> list[str | Path]:
        return [sys.executable, "-m", "locum", "serve", "--data", self.data]

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/readyz", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def fronts(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)

    def _invitations(self, *names: str) -> dict[str, Secret]:
        started = start(self.data, self.clock.now, secrets.token_bytes)
        locum = started.locum
        locum.vault.write("payments-key", Secret("first-key-of-payments"))
        codes = {
            name: locum.store.act(
                lambda tx, name=name: issue_invitation(locum, tx, IdentityName(name), "tests")
            ).result()[0]
            for name in names
        }
        locum.store.close()
        return codes

    def _joined(self, code: Secret) -> Person:
        person = Person(self.origin, self.clock)  # type: ignore[arg-type]
        proof = {"DPoP": person.proof("POST", "/v1/keys")}
        body = {"invitation": code.reveal()}
        answer = httpx.post(f"{self.origin}/v1/keys", json=body, headers=proof)
        assert answer.status_code == 201, answer.text
        person.sign_in()
        return person


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served"))
    yield made
    made.close()


def introspected(person: Person, token: str) -> dict[str, Any]:
    answer = person.call("POST", "/oauth/introspect", data={"token": token})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_token_is_opened_checked_and_dead_at_the_close(served: Served) -> None:
    alice = served.people["alice"]
    grant, token = opened(alice)
    assert introspected(served.people["bob"], token)["grant"] == grant
    closed = alice.call("POST", f"/v1/grants/{grant}/close", json={})
    assert closed.json()["dead"]
    assert introspected(alice, token) == {"active": False}


def test_a_credential_that_takes_the_network_is_delivered_as_well(served: Served) -> None:
    alice = served.people["alice"]
    answer = alice.call("POST", ACTIVATE.format(ask(alice, "service/static").json()["id"]))
    assert answer.json()["credential"]["value"] == "first-key-of-payments"


def test_a_refusal_says_the_law_as_without_fronts(served: Served) -> None:
    alice, bob = served.people["alice"], served.people["bob"]
    answer = bob.call("POST", ACTIVATE.format(ask(alice).json()["id"]))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["breaches"][0]["name"] == "no-one-alone"


def test_an_unknown_request_and_an_unknown_path_are_told_apart(served: Served) -> None:
    alice = served.people["alice"]
    assert alice.call("POST", ACTIVATE.format("rq_none")).json()["type"].endswith("not-found")
    assert httpx.get(f"{served.origin}/v1/nothing").status_code == 404


def test_a_repeated_key_gets_the_first_answer_without_the_credential(served: Served) -> None:
    alice, key = served.people["alice"], {"Idempotency-Key": "once"}
    path = ACTIVATE.format(ask(alice).json()["id"])
    assert alice.call("POST", path, headers=key).json()["credential"]["value"]
    again = alice.call("POST", path, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["credential"] is None
    other = alice.call("POST", path, headers=key, json={"deliver": False})
    assert other.status_code == 400


def test_a_proof_opens_once(served: Served) -> None:
    alice = served.people["alice"]
    path = ACTIVATE.format(ask(alice).json()["id"])
    headers = alice.headers("POST", path)
    first, second = (httpx.post(served.origin + path, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 401)


@pytest.mark.parametrize("claim", [{"htm": "GET"}, {"htu": "http://x/y"}, {"iat": 1}, {"ath": "x"}])
def test_a_call_that_proves_nothing_gets_no_further_than_the_front(
    served: Served, claim: dict[str, Any]
) -> None:
    alice = served.people["alice"]
    for path, data in ((ACTIVATE.format("rq_any"), None), ("/oauth/introspect", {"token": "x"})):
        headers = alice.headers("POST", path, **claim)
        answer = httpx.post(served.origin + path, headers=headers, data=data)
        assert answer.status_code == 401
        assert httpx.post(served.origin + path, data=data).status_code == 401


def test_two_proofs_in_one_call_are_none(served: Served) -> None:
    alice = served.people["alice"]
    path = ACTIVATE.format(ask(alice).json()["id"])
    twice = [*alice.headers("POST", path).items(), ("DPoP", alice.proof("POST", path))]
    assert httpx.post(served.origin + path, headers=twice).status_code == 401


def test_a_form_without_a_token_is_named(served: Served) -> None:
    answer = served.people["alice"].call("POST", "/oauth/introspect", data={"tok": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_huge_or_unreadable_body_is_refused_and_the_fronts_go_on(served: Served) -> None:
    alice = served.people["alice"]
    path = ACTIVATE.format(ask(alice).json()["id"])
    for content in (b"x" * 200_000, b"{", b"[" * 60_000, b'{"unknown": 1}'):
        answer = alice.call("POST", path, content=content)
        assert answer.status_code in (400, 413)
        assert "remedy" in answer.json()
    assert alice.call("POST", path).status_code == 201


def test_a_second_server_does_not_share_the_port(served: Served, tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = f'[server]\norigin = "{served.origin}"\nport = {served.port}\nfronts = 2\n'
    make_folder(data, settings, served.clock.now, secrets.token_bytes)
    (data / "estate.yaml").write_text(ESTATE.format(closed=free_port()))
    command = [sys.executable, "-m", "locum", "serve", "--data", str(data)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert f"port {served.port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_front_that_dies_is_started_again(served: Served) -> None:
    before = {front.pid for front in served.fronts()}
    for front in served.fronts():
        front.send_signal(signal.SIGKILL)
    wait_until(
        lambda: len({front.pid for front in served.fronts()} - before) == 2 and served.ready(),
        served.process,
        served.log,
        "a new pair of fronts",
    )
    assert opened(served.people["alice"])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_front_outlives_the_process_that_decides(tmp_path: Path, how: signal.Signals) -> None:
    made = Served(tmp_path)
    fronts = made.fronts()
    assert len(fronts) == 2
    made.process.send_signal(how)
    assert made.process.wait(timeout=30) == (-how if how is signal.SIGKILL else 0)
    gone, alive = psutil.wait_procs(fronts, timeout=20)
    assert (len(gone), alive) == (2, [])
