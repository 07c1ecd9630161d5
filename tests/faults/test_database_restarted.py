"""PostgreSQL below the store: restarted under load, and a clock that is not the database's."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from locum.model.refusal import StorageError, Unconfirmed
from locum.store.opening import open_store
from locum.store.port import Store
from locum.store.postgres import PostgresStore
from tests.faults.house import SEAL_KEY
from tests.servers.postgres import PostgresProcess, StopMode

THREADS = 8
ENOUGH = 300


def system_clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def url(postgres_server: PostgresProcess) -> str:
    return postgres_server.create_database(f"restarted_{secrets.token_hex(6)}")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url, SEAL_KEY, system_clock)
    yield store
    store.close()


@pytest.fixture
def single(store: Store, url: str) -> Iterator[Store]:
    """A store with one writer, so that a test knows which connection is used."""
    single = PostgresStore(url, SEAL_KEY, system_clock, writers=1)
    yield single
    single.close()


class Load:
    """Threads that act for as long as they are told to, and what they were answered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stop = threading.Event()
        self._more = threading.Condition()
        self.acknowledged: list[bytes] = []
        self.refused: list[StorageError] = []
        self._pool = ThreadPoolExecutor(THREADS)
        self._threads = [self._pool.submit(self._act, number) for number in range(THREADS)]

    def _act(self, thread: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            entry = b"%d of %d" % (number, thread)
            try:
                self._store.act(lambda transaction, one=entry: transaction.append(one)).result()
            except StorageError as error:
                self.refused.append(error)
            else:
                with self._more:
                    self.acknowledged.append(entry)
                    self._more.notify()

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        until = len(self.acknowledged) + count
        with self._more:
            assert self._more.wait_for(lambda: len(self.acknowledged) >= until, timeout=60)

    def end(self) -> None:
        """Stop; whatever else a thread met is raised here."""
        self._stop.set()
        self._pool.shutdown()
        for thread in self._threads:
            thread.result()


@pytest.mark.parametrize("mode", ["immediate", "kill"])
def test_nothing_acknowledged_is_lost_when_the_database_restarts_under_load(
    store: Store, postgres_server: PostgresProcess, mode: StopMode
) -> None:
    load = Load(store)
    try:
        for _ in range(2):
            load.wait_for_more(ENOUGH)
            postgres_server.restart(mode)
        load.wait_for_more(ENOUGH)
    finally:
        load.end()
    count, _ = store.look(lambda transaction: transaction.pending_count())
    kept = {entry for _, entry, _ in store.look(lambda one: one.pending(count))}
    assert set(load.acknowledged) <= kept
    assert load.refused
    assert all(error.remedy for error in load.refused)
    # What is kept beyond it is at most what nobody was told of either way.
    unsure = [error for error in load.refused if isinstance(error, Unconfirmed)]
    assert len(kept) - len(load.acknowledged) <= len(unsure)
    store.ready()


def test_a_database_that_is_away_refuses_says_so_and_is_found_again(
    store: Store, postgres_server: PostgresProcess
) -> None:
    store.ready()
    postgres_server.stop("immediate")
    try:
        began = time.monotonic()
        with pytest.raises(StorageError, match="goes on by itself"):
            store.ready()
        with pytest.raises(StorageError, match="goes on by itself"):
            store.look(lambda transaction: transaction.ledger_size())
        assert time.monotonic() - began < 6
    finally:
        postgres_server.start()
    store.ready()
    assert store.look(lambda transaction: transaction.ledger_size()) == 0


def test_a_database_that_hangs_is_unconfirmed_then_refused_at_once_and_found_again(
    single: Store, postgres_server: PostgresProcess
) -> None:
    store = single
    store.ready()
    first = int((postgres_server.data_dir / "postmaster.pid").read_text().split()[0])
    family = [psutil.Process(first), *psutil.Process(first).children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        began = time.monotonic()
        error = store.act(lambda transaction: transaction.append(b"while it hangs")).exception()
        assert isinstance(error, Unconfirmed)
        while not _refused_at_once(store):
            continue
        refused = store.act(lambda transaction: transaction.append(b"while stuck"))
        assert refused.done()
        assert time.monotonic() - began < 6
    finally:
        for process in family:
            process.resume()
    until = time.monotonic() + 30
    while store.act(lambda transaction: transaction.append(b"after")).exception() is not None:
        assert time.monotonic() < until
    waiting = store.look(lambda transaction: transaction.pending(99))
    # Of what was unconfirmed, either is right; what was refused is not there.
    assert [entry for _, entry, _ in waiting if entry != b"while it hangs"] == [b"after"]


def _refused_at_once(store: Store) -> bool:
    act = store.act(lambda transaction: transaction.heartbeat(system_clock()))
    return act.done() and not isinstance(act.exception(), Unconfirmed)


@pytest.mark.parametrize("seconds", [-3600.0, -1.5, 1.5, 3600.0])
def test_a_replica_with_a_wrong_clock_refuses_until_it_is_right(
    store: Store, url: str, seconds: float
) -> None:
    offset = timedelta(seconds=seconds)
    replica = PostgresStore(url, SEAL_KEY, lambda: system_clock() + offset)
    try:
        for _ in range(2):
            with pytest.raises(StorageError, match=r"clock is .* off") as refused:
                replica.act(lambda transaction: transaction.append(b"when?")).result()
            assert "NTP" in refused.value.remedy
        with pytest.raises(StorageError, match="clock"):
            replica.ready()
        assert store.look(lambda transaction: transaction.pending_count())[0] == 0
        offset = timedelta(0)
        replica.ready()
    finally:
        replica.close()


def test_a_clock_within_a_second_is_right_enough(store: Store, url: str) -> None:
    for seconds in (-0.5, 0.5):
        away = timedelta(seconds=seconds)
        replica = PostgresStore(url, SEAL_KEY, lambda by=away: system_clock() + by)
        replica.ready()
        replica.close()
