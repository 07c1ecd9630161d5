"""The system's clock is set an hour on and an hour back while a Locum serves; needs `faketime`.

The server is the real program with libfaketime in front of its C library, which reads the offset
from a file at every call; its monotonic clock and everybody else's clocks are not touched. A
person's proofs are signed by the server's clock, as they are where both use NTP.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from locum.issue.generate import new_password
from locum.ledger.entry import Entry, decode
from locum.ledger.verification import verify_log
from locum.model.names import IdentityName
from locum.model.secret import Secret
from locum.service.agreement import compare
from locum.service.people import issue_invitation
from locum.service.published import StoreSource
from locum.service.starting import make_folder, start
from locum.service.wiring import Locum
from tests.faults.house import ROLE, TOKEN, estate_at
from tests.http.world import Person
from tests.servers.clock import SteppedClock
from tests.servers.plugin import RecordSecret
from tests.servers.postgres import PostgresProcess
from tests.servers.program import free_port, launch, wait_until

HOUR = timedelta(hours=1)
LIBRARY = Path("faketime/libfaketimeMT.so.1")
NAMES = ("alice", "bob", "carol", "dana")
ATTEMPTS = 400
SETTINGS = (
    '[server]\norigin = "http://127.0.0.1:{port}"\nport = {port}\n'
    "calls_per_second = 1000\nburst = 1000\n"
)


def system_clock() -> datetime:
    return datetime.now(UTC)


def library() -> Path:
    """Where Debian keeps libfaketime."""
    return next(Path("/usr/lib").glob(f"*/{LIBRARY}"))


@dataclass
class Served:
    """A Locum that serves by a clock of its own, and its people."""

    data: Path
    log: Path
    port: int
    ahead: timedelta = timedelta()
    clock: SteppedClock = field(default_factory=lambda: SteppedClock(system_clock()))
    people: dict[str, Person] = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)

    @property
    def offset_file(self) -> Path:
        return self.data.parent / "offset"

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it, and wait until it is ready."""
        self._write_offset()
        process = launch(
            [sys.executable, "-m", "locum", "serve", "--data", self.data],
            self.log,
            folder=self.data,
            environment={
                "LD_PRELOAD": str(library()),
                "FAKETIME_TIMESTAMP_FILE": str(self.offset_file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            },
        )
        wait_until(self._is_ready, process, self.log, "locum serve")
        return process

    def set_clock(self, ahead: timedelta) -> None:
        """Set the server's clock so far ahead of this machine's; no call is between."""
        self.steps.append(round((ahead - self.ahead).total_seconds()))
        self.ahead = ahead
        self._write_offset()

    def call(self, name: str, method: str, path: str, **how: Any) -> httpx.Response:
        self._read_clock()
        return self.people[name].call(method, path, **how)

    def sign_in(self, *names: str) -> None:
        for name in names:
            self._read_clock()
            self.people[name].sign_in()

    def join(self, name: str, code: Secret) -> None:
        self._read_clock()
        person = self.people[name] = Person(f"http://127.0.0.1:{self.port}", self.clock)
        answer = httpx.post(
            f"{person.origin}/v1/keys",
            json={"invitation": code.reveal()},
            headers={"DPoP": person.proof("POST", "/v1/keys")},
        )
        assert answer.status_code == 201, answer.text
        self.sign_in(name)

    def opened(self, path: str) -> dict[str, Any]:
        """A grant of alice, approved by bob and carol, with its credential."""
        asked = self.call(
            "alice",
            "POST",
            "/v1/requests",
            json={
                "path": path,
                "cause": "outage",
                "reason": secrets.token_hex(8),
                "evidence": {"incident": "INC-1"},
            },
        )
        assert asked.status_code == 201, asked.text
        request = asked.json()
        for name in ("bob", "carol"):
            approved = self.call(
                name,
                "POST",
                f"/v1/requests/{request['id']}/approvals",
                json={"decision": "approve", "digest": request["digest"], "comment": "seen"},
            )
            assert approved.status_code == 200, approved.text
        answer = self.call("alice", "POST", f"/v1/requests/{request['id']}/activate")
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def is_live(self, opened: dict[str, Any]) -> bool:
        """What a resource server is told of a leased token."""
        self._read_clock()
        person = self.people["bob"]
        answer = httpx.post(
            f"{person.origin}/oauth/introspect",
            data={"token": opened["credential"]["value"]},
            headers=person.headers("POST", "/oauth/introspect"),
        )
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["active"])

    def grant(self, opened: dict[str, Any]) -> dict[str, Any]:
        answer = self.call("bob", "GET", f"/v1/grants/{opened['grant']['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def said_of_steps(self) -> list[bytes]:
        return [line for line in self.log.read_bytes().splitlines() if b'"clock.stepped"' in line]

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def _read_clock(self) -> None:
        self.clock.advance(system_clock() + self.ahead - self.clock.now())

    def _write_offset(self) -> None:
        part = self.offset_file.with_suffix(".part")
        part.write_text(f"{self.ahead.total_seconds():+.0f}\n")
        part.replace(self.offset_file)


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Look again and again until it holds."""
    never = threading.Event()
    for _ in range(ATTEMPTS):
        if holds():
            return
        never.wait(0.05)
    raise AssertionError(f"never: {what}")


@pytest.fixture
def admin(postgres_server: PostgresProcess, record_secret: RecordSecret) -> Iterator[Secret]:
    """The target's role that opens and shuts the other one."""
    password = new_password(os.urandom)
    record_secret(password)
    postgres_server.create_role("locum_admin", password, "LOGIN CREATEROLE")
    postgres_server.execute(
        sql.SQL("CREATE ROLE orders_admin NOLOGIN"),
        sql.SQL("GRANT orders_admin TO locum_admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"),
        sql.SQL("GRANT pg_signal_backend TO locum_admin"),
    )
    yield password
    postgres_server.execute(sql.SQL("DROP ROLE orders_admin"), sql.SQL("DROP ROLE locum_admin"))


@pytest.fixture
def served(tmp_path: Path, postgres_server: PostgresProcess, admin: Secret) -> Iterator[Served]:
    """A Locum on the system's clock; at its end the ledger still explains everything."""
    served = Served(tmp_path / "data", tmp_path / "log", free_port())
    make_folder(served.data, SETTINGS.format(port=served.port), system_clock, secrets.token_bytes)
    estate_at(served.data, system_clock(), postgres_server.port)
    codes = prepare(served.data, admin)
    process = served.launch()
    try:
        for name, code in codes.items():
            served.join(name, code)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    check_record(served)


def prepare(data: Path, admin: Secret) -> dict[str, Secret]:
    """Seal the target's password, and invite everybody."""
    started = start(data, system_clock, secrets.token_bytes)
    locum = started.locum
    try:
        locum.vault.write("orders-db-admin-password", admin)
        return {name: invited(locum, IdentityName(name)) for name in NAMES}
    finally:
        locum.store.close()


def invited(locum: Locum, name: IdentityName) -> Secret:
    code, _ = locum.store.act(lambda one: issue_invitation(locum, one, name, "operator")).result()
    return code


def check_record(served: Served) -> None:
    """Ledger and state agree, and where the record's times leap, it says why."""
    started = start(served.data, system_clock, secrets.token_bytes)
    entries: list[Entry] = []
    try:
        started.sequencer.integrate()
        verify_log(
            StoreSource(started.locum.store),
            (started.sequencer.signer.verifier,),
            visit=lambda _, entry: entries.append(decode(entry)),
        )
        assert started.locum.store.look(compare).disagreements == ()
    finally:
        started.locum.store.close()
    steps = [int(one.facts["seconds"]) for one in entries if one.act == "clock.stepped"]  # type: ignore[arg-type]
    assert [round(step, -2) for step in steps] == [round(step, -2) for step in served.steps]
    leaps = [
        (after.at - before.at).total_seconds()
        for before, after in pairwise(entries)
        if abs(after.at - before.at) > HOUR / 2
    ]
    assert [round(leap, -2) for leap in leaps] == [round(step, -2) for step in served.steps]


def refused(answer: httpx.Response) -> bool:
    """503 is for a clock that stands before what was forgotten: nothing is spent twice then."""
    assert answer.status_code in (403, 409, 503), answer.text
    assert answer.status_code != 503 or "The clock stands before" in answer.text
    return True


def may_log_in(postgres: PostgresProcess, opened: dict[str, Any]) -> bool:
    url = postgres.dsn("postgres", "orders_admin", Secret(opened["credential"]["value"]))
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("SELECT current_user").fetchone() == ("orders_admin",)
    except psycopg.OperationalError:
        return False


def test_an_hour_ahead_ends_a_grant_everywhere_and_an_hour_back_gives_it_no_life_again(
    served: Served, postgres_server: PostgresProcess, record_secret: RecordSecret
) -> None:
    role, token = served.opened(str(ROLE)), served.opened(str(TOKEN))
    for one in (role, token):
        record_secret(one["credential"]["value"])
    assert may_log_in(postgres_server, role)
    assert served.is_live(token)
    then = {name: person.token for name, person in served.people.items()}

    served.set_clock(HOUR)
    served.sign_in("bob", "alice")
    assert not served.is_live(token)
    assert refused(take(served, token))
    eventually(lambda: ended(served, role), "the role's grant was closed and its password dead")
    eventually(lambda: ended(served, token), "the token's grant was closed")
    assert not may_log_in(postgres_server, role)
    eventually(lambda: len(served.said_of_steps()) == 1, "the log said that the clock was set")

    served.set_clock(timedelta())
    for name, kept in then.items():
        served.people[name].token = kept
    eventually(lambda: len(served.said_of_steps()) == 2, "the log said that it was set back")
    assert b'"seconds": -36' in served.said_of_steps()[1]
    assert not served.is_live(token)
    assert ended(served, role)
    assert ended(served, token)
    assert refused(take(served, token))
    request = role["grant"]["request"]
    assert refused(served.call("alice", "POST", f"/v1/requests/{request}/activate"))
    assert not may_log_in(postgres_server, role)


def test_an_hour_back_lets_no_grant_outlive_its_end(
    served: Served, record_secret: RecordSecret
) -> None:
    before = served.opened(str(TOKEN))
    served.set_clock(-HOUR)
    eventually(lambda: len(served.said_of_steps()) == 1, "the log said that the clock was set back")
    served.sign_in(*NAMES)
    # What was open keeps its own end, and what opens now ends by the clock that it opened by.
    assert served.grant(before)["ends_at"] == before["grant"]["ends_at"]
    during = served.opened(str(TOKEN))
    for one in (before, during):
        record_secret(one["credential"]["value"])
    assert served.is_live(during)
    assert datetime.fromisoformat(during["grant"]["ends_at"]) < system_clock()

    served.set_clock(timedelta())
    served.sign_in("bob", "alice")
    assert not served.is_live(during)
    assert refused(take(served, during))
    eventually(lambda: ended(served, during), "the grant of the hour before was closed")
    assert served.is_live(before)
    eventually(lambda: len(served.said_of_steps()) == 2, "the log said that it was set on")


def take(served: Served, opened: dict[str, Any]) -> httpx.Response:
    return served.call("alice", "POST", f"/v1/grants/{opened['grant']['id']}/credential")


def ended(served: Served, opened: dict[str, Any]) -> bool:
    grant = served.grant(opened)
    return bool(grant["how"] == "expired" and grant["dead"])
