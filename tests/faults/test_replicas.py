"""Two replicas on one database: of those who try the same thing at once, one wins."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.laws.permits import Refusal
from locum.ledger.entry import Entry
from locum.ledger.errors import LedgerError
from locum.ledger.verification import verify_log
from locum.model.refusal import Conflict, LocumError
from locum.model.request import Closed, CloseReason, ask_of
from locum.service.agreement import compare
from locum.service.elapse import elapse_due
from locum.service.published import StoreSource
from locum.service.rounds import end_what_ended
from locum.service.sequencer import Sequencer
from locum.store.opening import open_store
from tests.faults.house import SEAL_KEY, House, Verb, estate_at, grant_id, house_of, proof
from tests.servers.clock import SteppedClock
from tests.servers.postgres import PostgresProcess

T = TypeVar("T")
ROUNDS = 25


def system_clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def locum_clock() -> SteppedClock:
    """The clock of both replicas' verbs; it begins with the database's."""
    return SteppedClock(system_clock())


@pytest.fixture
def replicas(
    postgres_server: PostgresProcess, tmp_path: Path, locum_clock: SteppedClock
) -> Iterator[tuple[House, House]]:
    url = postgres_server.create_database(f"replicas_{secrets.token_hex(6)}")
    estate, key = estate_at(tmp_path, locum_clock()), Ed25519PrivateKey.generate()
    one, two = (
        house_of(
            open_store(url, SEAL_KEY, system_clock), estate, locum_clock, tmp_path / "anchor", key
        )
        for _ in range(2)
    )
    one.people()
    yield one, two
    one.store.close()
    two.store.close()


def winners(replicas: tuple[House, House], verb_of: Callable[[House], Verb[T]]) -> list[T]:
    """Do it on both replicas at once; give what those got who were not refused."""
    won = []
    for waiting in [house.store.act(verb_of(house)) for house in replicas]:
        try:
            result = waiting.result()
        except LocumError:
            continue
        if not isinstance(result, Refusal):
            won.append(result)
    return won


def test_of_two_replicas_that_do_the_same_at_once_one_wins(
    replicas: tuple[House, House],
) -> None:
    for _ in range(ROUNDS):
        once = proof("alice")
        (row,) = winners(replicas, lambda house, once=once: house.ask(once))
        (row,) = winners(replicas, lambda house, row=row: house.approve(proof("bob"), row))
        (row,) = winners(replicas, lambda house, row=row: house.approve(proof("carol"), row))
        request = ask_of(row.state).id
        grant = grant_id(request)
        (_,) = winners(replicas, lambda house, of=request: house.activate(proof("alice"), of))
        (_,) = winners(replicas, lambda house, of=grant: house.take(proof("alice"), of))
        (_,) = winners(replicas, lambda house, of=grant: house.close(proof("bob"), of))
        (_,) = winners(replicas, lambda house, of=grant: house.review(proof("dana"), of))
        code, _ = replicas[0].do(replicas[0].invite(proof("alice"), "erin"))
        (_,) = winners(replicas, lambda house, code=code: house.redeem(code, secrets.token_hex(12)))
    assert replicas[1].store.look(compare).disagreements == ()


def integrated(sequencer: Sequencer) -> None:
    # Where the other replica signed first, the entries are in the tree all the same.
    with contextlib.suppress(LedgerError, Conflict):
        sequencer.integrate()


def test_two_replicas_that_integrate_at_once_keep_one_tree(
    replicas: tuple[House, House],
) -> None:
    seen: list[Entry] = []
    one, two = (msgspec.structs.replace(house.sequencer, seen=seen.append) for house in replicas)
    with ThreadPoolExecutor(2) as threads:
        for _ in range(ROUNDS):
            for waiting in [
                house.store.act(house.ask(proof("alice"))) for house in replicas for _ in range(4)
            ]:
                waiting.result()
            list(threads.map(integrated, (one, two)))
    integrated(one)
    report = verify_log(StoreSource(two.store), (two.signer.verifier,))
    # Each entry was integrated by one of the two, once.
    assert report.entries == len(seen) == len({entry.subject for entry in seen}) == 8 * ROUNDS
    assert one.store.look(compare).disagreements == ()


def test_two_replicas_that_end_what_ended_at_once_close_each_grant_once(
    replicas: tuple[House, House], locum_clock: SteppedClock
) -> None:
    for _ in range(5):
        requests = {ask_of(replicas[0].opened().row.state).id for _ in range(4)}
        locum_clock.advance(timedelta(hours=1))
        ended = [
            waiting.result()
            for waiting in [
                house.store.act(lambda transaction, of=house: elapse_due(of.locum, transaction))
                for house in replicas
            ]
        ]
        assert sorted(ended[0] + ended[1]) == sorted(requests)
    assert replicas[0].store.look(compare).disagreements == ()


def test_a_replica_that_waited_for_another_to_close_a_grant_goes_on(
    replicas: tuple[House, House], locum_clock: SteppedClock
) -> None:
    one, two = replicas
    request = ask_of(one.opened().row.state).id
    locum_clock.advance(timedelta(hours=1))
    with ThreadPoolExecutor(1) as thread:

        def close_while_another_waits(transaction):  # type: ignore[no-untyped-def]
            ended = elapse_due(one.locum, transaction)
            return ended, thread.submit(end_what_ended, two.locum)

        ended, other = one.do(close_while_another_waits)
        assert (ended, other.result()) == ((request,), 0)
    row = two.store.look(lambda transaction: transaction.request(request))
    assert row is not None
    assert isinstance(row.state, Closed)
    assert row.state.how is CloseReason.EXPIRED
