"""A Locum on a free port with a stepped clock, and people who hold registered keys."""

from __future__ import annotations

import base64
import hashlib
import itertools
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey

from locum.cli.fronts import listen
from locum.cli.serving import server_of
from locum.model.names import IdentityName
from locum.model.secret import Secret
from locum.service.outbox import work_off
from locum.service.people import issue_invitation
from locum.service.rounds import WORKERS, end_what_ended
from locum.service.starting import Started, make_folder, start
from tests.servers.clock import SteppedClock

ESTATE = """version: 1
groups: {{administrators: [alice], leads: [alice, bob, carol], security: [dana]}}
identities:
  alice: {{kind: human, owner: a@example.com, primary: {{method: passkey-device-bound}}}}
  bob: {{kind: human, owner: b@example.com, primary: {{method: passkey-device-bound}}}}
  carol: {{kind: human, owner: c@example.com, primary: {{method: passkey-device-bound}}}}
  dana: {{kind: human, owner: d@example.com, primary: {{method: passkey-device-bound}}}}
  service:
    kind: workload
    owner: team
    primary: {{method: oidc-workload-token, authority: {{audiences: [api]}}}}
    fallbacks:
      lease:
        method: leased-token
        causes: [outage]
        probe: {{tcp: "127.0.0.1:{closed}"}}
        requesters: leads
        limits: {{ttl: 5m}}
        review: {{by: security, within: 24h}}
        owner: team
        reason: tests
        until: 2099-12-31
      approved:
        method: leased-token
        causes: [outage]
        approvals: {{of: leads, need: 2, within: 30m}}
        limits: {{ttl: 5m}}
        review: {{by: security, within: 24h, blocks: due}}
        owner: team
        reason: tests
        until: 2099-12-31
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Person:
    """Somebody with a key, who signs every call by the world's clock."""

    origin: str
    clock: SteppedClock
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    token: str = ""
    _count: Any = field(default_factory=itertools.count)

    def proof(self, method: str, path: str, **changed: Any) -> str:
        claims: dict[str, Any] = {
            "htm": method,
            "htu": self.origin + path,
            "iat": int(self.clock.now().timestamp()),
            "jti": f"{self.key.thumbprint()}-{next(self._count)}",
        }
        if self.token:
            digest = hashlib.sha256(self.token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        header |= changed.pop("header", {})
        claims |= changed
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, claims, self.key)

    def headers(self, method: str, path: str, **changed: Any) -> dict[str, str]:
        return {
            "Authorization": f"DPoP {self.token}",
            "DPoP": self.proof(method, path, **changed),
        }

    def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = self.headers(method, path.split("?")[0]) | how.pop("headers", {})
        return httpx.request(method, self.origin + path, headers=headers, timeout=10, **how)

    def sign_in(self) -> None:
        path, self.token = "/oauth/token", ""
        answer = httpx.post(
            self.origin + path,
            data={"grant_type": "client_credentials"},
            headers={"DPoP": self.proof("POST", path)},
        )
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]


class World:
    """The Locum, its clock and its people."""

    def __init__(
        self,
        folder: Path,
        clock: SteppedClock,
        estate: str = ESTATE,
        more_settings: str = "",
        people: tuple[str, ...] = ("alice", "bob", "carol", "dana"),
        calls: int = 1000,
    ) -> None:
        self.clock, self.port = clock, free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        settings = (
            f'[server]\norigin = "{self.origin}"\nport = {self.port}\n'
            f"calls_per_second = {calls}\nburst = {calls}\n"
        )
        make_folder(self.data, settings + more_settings, clock.now, secrets.token_bytes)
        (self.data / "estate.yaml").write_text(estate.format(closed=free_port()))
        self.started: Started = start(self.data, clock.now, secrets.token_bytes)
        self.server: uvicorn.Server = server_of(self.started)
        listening = listen("127.0.0.1", self.port, 1)
        self._thread = threading.Thread(target=self.server.run, args=(listening,), daemon=True)
        self._thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.people = {name: self.join(name) for name in people}

    def sign_in(self) -> None:
        """Sign everybody in again, after a token's life."""
        for person in self.people.values():
            person.sign_in()

    def join(self, name: str) -> Person:
        locum, person = self.started.locum, Person(self.origin, self.clock)
        code, _ = locum.store.act(
            lambda transaction: issue_invitation(locum, transaction, IdentityName(name), "tests")
        ).result()
        assert self.register(person, code).status_code == 201
        person.sign_in()
        return person

    def register(self, person: Person, code: Secret) -> httpx.Response:
        path = "/v1/keys"
        return httpx.post(
            self.origin + path,
            json={"invitation": code.reveal()},
            headers={"DPoP": person.proof("POST", path)},
        )

    def settle(self) -> None:
        """One round of everything that Locum does by itself."""
        end_what_ended(self.started.locum)
        while work_off(self.started.locum, WORKERS):
            continue
        while self.started.sequencer.integrate():
            continue

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(timeout=15)
        self.started.locum.store.close()


def ask(person: Person, path: str = "service/lease", **more: Any) -> httpx.Response:
    return person.call(
        "POST", "/v1/requests", json={"path": path, "cause": "outage", "reason": "why"} | more
    )


def opened(person: Person) -> tuple[str, str]:
    """A grant of the lease and its token."""
    request = ask(person).json()["id"]
    answer = person.call("POST", f"/v1/requests/{request}/activate")
    assert answer.status_code == 201, answer.text
    found = msgspec.json.decode(answer.content)
    return found["grant"]["id"], found["credential"]["value"]
