"""OpenBao sealed or gone, or the target away: nothing opens, closing closes, killing goes on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import sql

from locum.issue.generate import new_password
from locum.issue.vault_openbao import OpenBaoVault, TokenFile
from locum.ledger.entry import decode
from locum.model.refusal import Unavailable
from locum.model.request import Closed, Ready, State, ask_of
from locum.service.agreement import compare
from locum.service.credential import Credential, prepare, produce
from locum.service.findings import findings
from locum.service.outbox import work_off
from locum.service.rounds import WORKERS
from locum.store.opening import open_store
from tests.faults.house import ROLE, SEAL_KEY, House, estate_at, grant_id, house_of, proof
from tests.servers.clock import SteppedClock
from tests.servers.openbao import OpenBaoProcess
from tests.servers.plugin import RecordSecret
from tests.servers.postgres import PostgresProcess

LATER = timedelta(minutes=6)
"""Longer than the longest delay between two attempts."""


@pytest.fixture
def at() -> SteppedClock:
    """A clock that begins now, because the target compares a password's end with its own."""
    return SteppedClock(datetime.now(UTC))


@pytest.fixture
def target(postgres_server: PostgresProcess, record_secret: RecordSecret) -> Iterator[str]:
    """A role to be opened, and the role that opens it; gives that one's password."""
    admin = new_password(os.urandom)
    record_secret(admin)
    postgres_server.create_role("locum_admin", admin, "LOGIN CREATEROLE")
    postgres_server.execute(
        sql.SQL("CREATE ROLE orders_admin NOLOGIN"),
        sql.SQL("GRANT orders_admin TO locum_admin WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"),
        sql.SQL("GRANT pg_signal_backend TO locum_admin"),
    )
    yield admin.reveal()
    postgres_server.execute(sql.SQL("DROP ROLE orders_admin"), sql.SQL("DROP ROLE locum_admin"))


@pytest.fixture
def house(
    tmp_path: Path,
    at: SteppedClock,
    postgres_server: PostgresProcess,
    openbao_server: OpenBaoProcess,
    target: str,
) -> Iterator[House]:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(openbao_server.root_token.reveal())
    prefix = f"locum-{secrets.token_hex(6)}"
    openbao_server.client().secrets.kv.v2.create_or_update_secret(
        f"{prefix}/orders-db-admin-password", secret={"secret": target}
    )
    house = house_of(
        open_store(f"sqlite:///{tmp_path}/locum.db", SEAL_KEY, at),
        estate_at(tmp_path, at(), postgres_server.port),
        at,
        tmp_path / "anchor",
        Ed25519PrivateKey.generate(),
        OpenBaoVault(openbao_server.address, TokenFile(token), prefix=prefix),
    )
    house.people()
    yield house
    assert house.store.look(compare).disagreements == ()
    house.store.close()


Trouble = tuple[Callable[[], None], Callable[[], None], str]


@pytest.fixture(params=["sealed", "stopped", "target stopped"])
def trouble(
    request: pytest.FixtureRequest,
    openbao_server: OpenBaoProcess,
    postgres_server: PostgresProcess,
) -> Trouble:
    """What brings the trouble, what ends it, and a word that its remedy must say."""
    if request.param == "sealed":
        return openbao_server.seal, openbao_server.unseal, "nseal"
    if request.param == "stopped":
        return lambda: openbao_server.stop(kill=True), openbao_server.start, "OpenBao"
    return lambda: postgres_server.stop("immediate"), postgres_server.start, "orders-db"


def opened(house: House, record_secret: RecordSecret) -> tuple[State, Credential]:
    path = house.locum.estate.now.path(ROLE)
    assert path is not None
    request = house.ready_request(ROLE)
    proven = proof("alice")
    prepare(house.locum, path, request, proven)
    done = house.do(house.activate(proven, request))
    credential = produce(house.locum, done)
    record_secret(credential.secret)
    return done.row.state, credential


def log_in(credential: Credential) -> None:
    with psycopg.connect(
        host=credential.inject["PGHOST"],
        port=credential.inject["PGPORT"],
        dbname=credential.inject["PGDATABASE"],
        user=credential.inject["PGUSER"],
        password=credential.secret.reveal(),
    ) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("orders_admin",)


def told(house: House) -> list[str]:
    return [
        f"{one.breach.fact} {one.breach.remedy}"
        for one in house.store.look(lambda transaction: findings(house.locum, transaction))
    ]


def test_nothing_opens_while_it_is_away_and_the_record_says_why(
    house: House, trouble: Trouble, record_secret: RecordSecret
) -> None:
    breaks, mends, word = trouble
    path = house.locum.estate.now.path(ROLE)
    assert path is not None
    request = house.ready_request(ROLE)
    breaks()
    try:
        with pytest.raises(Unavailable) as refused:
            prepare(house.locum, path, request, proof("alice"))
    finally:
        mends()
    assert word in f"{refused.value.fact} {refused.value.remedy}"
    assert refused.value.remedy
    row = house.store.look(lambda transaction: transaction.request(request))
    assert row is not None
    assert isinstance(row.state, Ready)
    waiting = house.store.look(lambda transaction: transaction.pending(99))
    last = decode(waiting[-1][1])
    assert (last.act, last.subject) == ("activation.unavailable", request)
    assert last.facts["fact"] == refused.value.fact
    prepare(house.locum, path, request, proof("alice"))


def test_a_use_that_is_spent_while_it_goes_away_closes_the_grant(
    house: House, trouble: Trouble
) -> None:
    breaks, mends, _ = trouble
    request = house.ready_request(ROLE)
    done = house.do(house.activate(proof("alice"), request))
    breaks()
    try:
        with pytest.raises(Unavailable, match="The grant is closed"):
            produce(house.locum, done)
    finally:
        mends()
    row = house.store.look(lambda transaction: transaction.request(request))
    assert row is not None
    assert isinstance(row.state, Closed)
    work_off(house.locum, WORKERS)


def test_closing_closes_and_killing_is_tried_until_the_old_password_is_dead(
    house: House, at: SteppedClock, trouble: Trouble, record_secret: RecordSecret
) -> None:
    breaks, mends, word = trouble
    state, credential = opened(house, record_secret)
    log_in(credential)
    request = ask_of(state).id
    breaks()
    try:
        closed = house.do(house.close(proof("bob"), grant_id(request))).state
        assert isinstance(closed, Closed)
        assert closed.settled_at is None
        for attempts in (1, 2, 3):
            work_off(house.locum, WORKERS)
            (task,) = house.store.look(lambda transaction: transaction.waiting_tasks(9))
            assert (task.kind, task.attempts) == ("settle", attempts)
            assert word in task.last_error
            at.advance(LATER)
        assert any("`settle` failed 3 times" in one and word in one for one in told(house))
        assert any("not yet seen dead" in one for one in told(house))
    finally:
        mends()
    work_off(house.locum, WORKERS)
    assert house.store.look(lambda transaction: transaction.waiting_tasks(9)) == ()
    row = house.store.look(lambda transaction: transaction.request(request))
    assert row is not None
    assert isinstance(row.state, Closed)
    assert row.state.settled_at is not None
    with pytest.raises(psycopg.OperationalError):
        log_in(credential)
    assert not any("settle" in one or "not yet seen dead" in one for one in told(house))
