"""A disk that is full, fails or hangs: refused within two seconds, said why, and gone on after."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from locum.model.refusal import StorageError, Unconfirmed
from locum.store.migrating import migrate
from locum.store.port import Transaction
from locum.store.sqlite import SqliteStore
from tests.faults.acknowledged import clock
from tests.faults.disks import Disk
from tests.faults.house import SEAL_KEY

WITHIN = 6.0
"""Seconds: thrice the two that are promised, because the machine may be busy."""


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk(f"disk-{secrets.token_hex(6)}")
    yield disk
    disk.mend()
    disk.unregister()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    migrate(f"sqlite+pysqlite:///{tmp_path}/locum.db")
    return tmp_path / "locum.db"


@pytest.fixture
def store(disk: Disk, file: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(file, SEAL_KEY, clock, vfs=disk.name)
    append(b"before")(store)
    yield store
    disk.mend()
    store.close()


def append(entry: bytes) -> Callable[[SqliteStore], None]:
    def verb(transaction: Transaction) -> None:
        transaction.append(entry)

    return lambda store: store.act(verb).result()


def kept(store: SqliteStore) -> list[bytes]:
    return [entry for _, entry, _ in store.look(lambda transaction: transaction.pending(999))]


def refused(store: SqliteStore, act: Callable[[SqliteStore], None]) -> StorageError:
    began = time.monotonic()
    with pytest.raises(StorageError) as found:
        act(store)
    assert time.monotonic() - began < WITHIN
    return found.value


def test_a_full_disk_refuses_says_so_and_keeps_nothing_half(store: SqliteStore, disk: Disk) -> None:
    disk.full = True
    for _ in range(3):
        error = refused(store, append(b"while full"))
        assert not isinstance(error, Unconfirmed)
        assert "Full" in error.fact
        assert "Free space" in error.remedy
    with pytest.raises(StorageError):
        store.ready()
    assert kept(store) == [b"before"]
    disk.mend()
    append(b"after")(store)
    store.ready()
    assert kept(store) == [b"before", b"after"]


def test_of_acts_that_share_a_commit_on_a_full_disk_none_is_kept(
    store: SqliteStore, disk: Disk
) -> None:
    disk.full = True
    acts = [store.act(lambda one, n=n: one.append(b"%d" % n)) for n in range(50)]
    assert all(isinstance(one.exception(), StorageError) for one in acts)
    disk.mend()
    assert kept(store) == [b"before"]


def test_a_failing_fsync_acknowledges_nothing_and_says_what_to_do(
    store: SqliteStore, disk: Disk
) -> None:
    disk.sync_fails = True
    first = refused(store, append(b"unsure"))
    assert isinstance(first, Unconfirmed)
    assert "disk" in first.remedy
    for _ in range(3):
        error = refused(store, append(b"later"))
        assert not isinstance(error, Unconfirmed)
        assert "disk" in error.remedy
    disk.mend()
    append(b"after")(store)
    found = kept(store)
    assert b"later" not in found
    assert found[0] == b"before"
    assert found[-1] == b"after"


def test_no_later_commit_stands_behind_one_that_could_not_be_synced(
    store: SqliteStore, disk: Disk, file: Path
) -> None:
    log = file.with_name(file.name + "-wal")
    assert kept(store) == [b"before"]
    for number in range(30):
        append(b"%d" % number)(store)
    disk.sync_fails = True
    refused(store, append(b"unsure"))
    before = log.stat().st_size
    disk.mend()
    append(b"after")(store)
    # The log was emptied, so that what follows stands at its beginning.
    assert 0 < log.stat().st_size < before / 2
    assert kept(store)[-1] == b"after"


def test_a_hanging_fsync_is_unconfirmed_then_refused_at_once_and_recovers(
    store: SqliteStore, disk: Disk
) -> None:
    disk.hang()
    first = refused(store, append(b"while it hangs"))
    assert isinstance(first, Unconfirmed)
    assert "Idempotency-Key" in first.remedy
    while not isinstance(_stuck(store), StorageError):
        continue
    began = time.monotonic()
    for _ in range(200):
        error = refused(store, append(b"while stuck"))
        assert not isinstance(error, Unconfirmed)
    assert time.monotonic() - began < WITHIN
    disk.mend()
    _eventually(store, append(b"after"))
    found = kept(store)
    assert b"while stuck" not in found
    assert found == [b"before", b"while it hangs", b"after"]


def _stuck(store: SqliteStore) -> StorageError | None:
    act = store.act(lambda transaction: transaction.heartbeat(clock()))
    error = act.exception() if act.done() else None
    return error if isinstance(error, StorageError) else None


def _eventually(store: SqliteStore, act: Callable[[SqliteStore], None]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            act(store)
            return
        except StorageError:
            assert time.monotonic() < until


def test_a_second_process_that_would_write_is_refused(store: SqliteStore, file: Path) -> None:
    with pytest.raises(StorageError, match="Another process"):
        SqliteStore(file, SEAL_KEY, clock)
