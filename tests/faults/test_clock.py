"""The scheduler is dead, or the clock jumps: what has ended stays ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.laws.permits import Refusal
from locum.model.names import RequestId
from locum.model.refusal import StorageError, TransitionNotAllowed
from locum.model.request import (
    Closed,
    CloseReason,
    Lapsed,
    Open,
    Reviewed,
    State,
    ask_of,
    grant_of,
)
from locum.model.secret import Secret
from locum.service.agreement import compare
from locum.service.elapse import recheck
from locum.service.findings import findings
from locum.service.outbox import work_off
from locum.service.rounds import WORKERS, Rounds, end_what_ended, prune
from locum.service.starting import Started, make_folder, start
from locum.service.tokens import introspect_token
from locum.store.opening import open_store
from locum.store.records import Token
from tests.faults.house import SEAL_KEY, House, estate_at, grant_id, house_of, proof
from tests.servers.clock import SteppedClock

HOUR = timedelta(hours=1)
SETTINGS = '[server]\norigin = "http://127.0.0.1:8440"\n'


@pytest.fixture
def house(tmp_path: Path, clock: SteppedClock) -> Iterator[House]:
    store = open_store(f"sqlite:///{tmp_path}/locum.db", SEAL_KEY, clock)
    key = Ed25519PrivateKey.generate()
    house = house_of(store, estate_at(tmp_path, clock()), clock, tmp_path / "anchor", key)
    house.people()
    yield house
    assert store.look(compare).disagreements == ()
    store.close()


def state_of(house: House, request: RequestId) -> State:
    row = house.store.look(lambda transaction: transaction.request(request))
    assert row is not None
    return row.state


def live(house: House, secret: Secret | None) -> Token | None:
    assert secret is not None
    return house.store.look(
        lambda one: introspect_token(house.locum, one, proof("bob"), secret.reveal())
    )


def everything(house: House) -> None:
    """What the rounds would do."""
    end_what_ended(house.locum)
    recheck(house.locum)
    work_off(house.locum, WORKERS)
    prune(house.locum)
    house.sequencer.integrate()
    house.store.look(lambda transaction: findings(house.locum, transaction))
    house.store.ready()


def test_a_grant_past_its_end_is_refused_everywhere_though_nobody_closed_it(
    house: House, clock: SteppedClock
) -> None:
    opened = house.opened()
    request = ask_of(opened.row.state).id
    grant = grant_of(opened.row.state)
    assert grant is not None
    assert live(house, opened.secret)
    clock.advance(grant.ends_at - clock())
    assert live(house, opened.secret) is None
    refused = house.do(house.take(proof("alice"), grant.id))
    assert isinstance(refused, Refusal)
    assert isinstance(state_of(house, request), Open)
    assert isinstance(
        house.do(house.activate(proof("alice"), house.ready_request())).row.state, Open
    )


def test_a_request_past_its_time_is_not_opened_though_nobody_ended_it(
    house: House, clock: SteppedClock
) -> None:
    request = house.ready_request()
    clock.advance(HOUR)
    with pytest.raises(TransitionNotAllowed, match="lapsed"):
        house.do(house.activate(proof("alice"), request))


@pytest.fixture
def folder(tmp_path: Path, clock: SteppedClock) -> Path:
    folder = tmp_path / "data"
    make_folder(folder, SETTINGS, clock, os.urandom)
    estate_at(folder, clock())
    return folder


def housed(started: Started) -> House:
    return House(started.locum, started.sequencer)


def test_what_ended_while_the_scheduler_was_dead_is_closed_as_expired_at_the_next_start(
    folder: Path, clock: SteppedClock
) -> None:
    before = housed(start(folder, clock, os.urandom))
    before.people()
    opened = before.opened()
    waiting = before.do(before.ask(proof("alice")))
    before.store.close()
    clock.advance(HOUR)
    started = start(folder, clock, os.urandom)
    house, rounds = housed(started), Rounds(started)
    try:
        assert isinstance(state_of(house, ask_of(opened.row.state).id), Open)
        assert live(house, opened.secret) is None
        rounds.start()
        closed = state_of(house, ask_of(opened.row.state).id)
        assert isinstance(closed, Closed)
        assert closed.how is CloseReason.EXPIRED
        assert closed.settled_at is not None
        assert isinstance(state_of(house, ask_of(waiting.state).id), Lapsed)
    finally:
        rounds.stop()
        house.store.close()


def test_what_ended_an_hour_ahead_stays_ended_when_the_clock_comes_back(
    house: House, clock: SteppedClock
) -> None:
    opened = house.opened()
    request, waiting = ask_of(opened.row.state).id, house.ready_request()
    clock.advance(HOUR)
    everything(house)
    clock.advance(-HOUR)
    everything(house)
    closed = state_of(house, request)
    assert isinstance(closed, Closed)
    assert closed.how is CloseReason.EXPIRED
    assert isinstance(state_of(house, waiting), Lapsed)
    assert live(house, opened.secret) is None
    with pytest.raises(StorageError, match="forgotten"):  # which proofs were spent until then
        house.do(house.take(proof("alice"), grant_id(request)))
    clock.advance(timedelta(minutes=3))
    with pytest.raises(TransitionNotAllowed):
        house.do(house.take(proof("alice"), grant_id(request)))
    with pytest.raises(TransitionNotAllowed):
        house.do(house.activate(proof("alice"), waiting))
    with pytest.raises(TransitionNotAllowed):
        house.do(house.activate(proof("alice"), request))


def test_a_token_that_only_the_clock_ended_lives_again_with_it_and_one_that_was_closed_does_not(
    house: House, clock: SteppedClock
) -> None:
    one, two = house.opened(), house.opened()
    clock.advance(HOUR)
    assert (live(house, one.secret), live(house, two.secret)) == (None, None)
    house.do(house.close(proof("alice"), grant_id(ask_of(two.row.state).id)))
    clock.advance(-HOUR)
    assert live(house, one.secret)
    assert live(house, two.secret) is None


def test_a_clock_that_goes_back_reopens_nothing_and_breaks_nothing(
    house: House, clock: SteppedClock
) -> None:
    opened, done = house.opened(), house.opened()
    ended = grant_id(ask_of(done.row.state).id)
    house.do(house.close(proof("alice"), ended))
    clock.advance(-HOUR)
    everything(house)
    assert live(house, done.secret) is None
    grant = grant_id(ask_of(opened.row.state).id)
    house.do(house.take(proof("alice"), grant))
    closed = house.do(house.close(proof("alice"), grant)).state
    assert isinstance(closed, Closed)
    assert closed.at < closed.grant.opened_at
    assert closed.settled_at is not None
    for one in (grant, ended):
        assert isinstance(house.do(house.review(proof("dana"), one)).state, Reviewed)
    again = house.opened()
    assert live(house, again.secret)
    everything(house)
    clock.advance(HOUR)
    everything(house)
    assert isinstance(state_of(house, ask_of(again.row.state).id), Closed)
