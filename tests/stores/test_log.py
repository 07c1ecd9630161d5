"""SQLite's log does not grow for as long as acts keep coming."""

from __future__ import annotations

from pathlib import Path

from locum.store.opening import open_store
from locum.store.sqlite import SqliteStore
from tests.stores.conftest import SEAL_KEY, system_clock

LIMIT = 2 * 1024 * 1024
ACTS = 40_000
ENTRY = b"x" * 3_000


def test_the_log_is_begun_anew_though_acts_never_pause(tmp_path: Path) -> None:
    file = tmp_path / "locum.db"
    open_store(f"sqlite:///{file}", SEAL_KEY, system_clock).close()
    store = SqliteStore(file, SEAL_KEY, system_clock, wal_limit=LIMIT)
    waiting = []
    for number in range(ACTS):
        waiting.append(store.act(lambda transaction: transaction.append(ENTRY)))
        if number >= 400:
            waiting[number - 400].result()
    for one in waiting:
        one.result()
    assert store.look(lambda transaction: transaction.pending_count())[0] == ACTS
    log = file.with_name("locum.db-wal").stat().st_size
    assert log < ACTS * len(ENTRY) / 3
    store.close()
