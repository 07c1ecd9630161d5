"""A served Locum for benchmarks: SQLite, leased tokens behind a probe that fails, many requests."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import httpx

from locum.cli.client import Client, Key, new_key
from locum.laws.permits import Refusal
from locum.model.cause import Cause
from locum.model.names import IdentityName, PathName
from locum.model.request import ask_of
from locum.service.ask import Asked, make_request
from locum.service.caller import Proven
from locum.service.people import issue_invitation, register_key
from locum.service.starting import make_folder, start
from locum.store.port import Transaction
from locum.store.records import Row

_ESTATE = """version: 1
groups: {{administrators: [alice], operators: [alice], reviewers: [bob]}}
identities:
  alice: {{kind: human, owner: a@example.com, primary: {{method: passkey-device-bound}}}}
  bob: {{kind: human, owner: b@example.com, primary: {{method: passkey-device-bound}}}}
  service:
    kind: workload
    owner: team
    primary: {{method: oidc-workload-token, authority: {{audiences: [api]}}}}
    fallbacks:
      lease:
        method: leased-token
        causes: [outage]
        probe: {{tcp: "127.0.0.1:{closed}"}}
        requesters: operators
        limits: {{ttl: 5m}}
        review: {{by: reviewers, within: 24h}}
        owner: team
        reason: measure
        until: 2099-12-31
      short:
        method: leased-token
        causes: [outage]
        probe: {{tcp: "127.0.0.1:{closed}"}}
        requesters: operators
        limits: {{ttl: 2s}}
        review: {{by: reviewers, within: 24h}}
        owner: team
        reason: measure
        until: 2099-12-31
"""


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class LocumServer:
    """A Locum with `requests` requests that are ready to be activated, in its own process."""

    def __init__(self, requests: int, fronts: int = 0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-locum-"))
        self.port = _free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.key: Key = new_key("p256")
        self.requests = self._prepare(requests, fronts)
        self.log = self.folder / "server.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "locum", "serve", "--data", str(self.folder / "data")],
                stdout=log,
                stderr=log,
            )
        self._await()
        self.client = Client(self.origin, self.key)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def close(self) -> None:
        """Stop it and remove its folder."""
        self._process.terminate()
        self._process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method: str, path: str, body: str, kind: str = "application/json") -> str:
        """One prepared call, as `bench.load` sends it: with a token and a fresh proof."""
        token = self.client.token()
        proof = self.client.proof(method, path, token)
        headers = ["Authorization", f"DPoP {token}", "DPoP", proof, "Content-Type", kind]
        return "\t".join([method, path, *headers, body])

    def _prepare(self, count: int, fronts: int) -> list[str]:
        data, closed = self.folder / "data", _free_port()
        settings = (
            f'[server]\norigin = "{self.origin}"\nport = {self.port}\n'
            f"calls_per_second = 1e6\nburst = 1e6\nfronts = {fronts}\n"
        )
        make_folder(data, settings, now, secrets.token_bytes)
        (data / "estate.yaml").write_text(_ESTATE.format(closed=closed))
        started = start(data, now, secrets.token_bytes)
        locum, store = started.locum, started.locum.store
        public = self.key.as_dict(private=False)
        jkt = self.key.thumbprint()

        def register(transaction: Transaction) -> None:
            code, _ = issue_invitation(locum, transaction, IdentityName("alice"), "bench")
            register_key(locum, transaction, code, jkt, repr(public).encode(), "127.0.0.1")

        store.act(register).result()
        asked = Asked(PathName(IdentityName("service"), "lease"), Cause.OUTAGE, "measure")

        def ask(number: int) -> Future[Row | Refusal]:
            proven = Proven(jkt, f"prepared-{number}", "127.0.0.1")
            return store.act(lambda tx: make_request(locum, tx, proven, asked))

        made: list[str] = []
        for first in range(0, count, 400):
            waiting = [ask(number) for number in range(first, min(first + 400, count))]
            made += [_id(one.result()) for one in waiting]
        while started.sequencer.integrate():
            continue
        store.close()
        return made

    def _await(self) -> None:
        for _ in range(200):
            try:
                if httpx.get(f"{self.origin}/readyz", timeout=2).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        raise RuntimeError(self.log.read_text()[-1000:])


def _id(outcome: Row | Refusal) -> str:
    if isinstance(outcome, Refusal):
        raise RuntimeError(str(outcome.breaches))
    return ask_of(outcome.state).id


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
