"""The ledger in SQL: entries that wait under a seal, entries with an index, tiles, checkpoint."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from locum.model.refusal import StorageError
from locum.store import columns
from locum.store.columns import micros
from locum.store.statements import On, taken_by_another


def seal(key: bytes, entry: bytes) -> bytes:
    """The seal of an entry that is not integrated yet: HMAC-SHA256 under the store's key."""
    return hmac.digest(key, entry, hashlib.sha256)


def check_seal(key: bytes, number: int, entry: bytes, found: bytes) -> None:
    """Check a pending entry against its seal.

    Raises:
        StorageError: it was changed in the database.
    """
    if not hmac.compare_digest(seal(key, entry), found):
        raise StorageError(
            f"Pending ledger entry {number} is not what was committed.",
            "The database was altered: stop Locum, keep the database, and look who can write it.",
        )


def append(on: On, entry: bytes) -> None:
    """Add an entry to the ledger."""
    on.run(
        "INSERT INTO ledger_pending (entry, seal, at) VALUES (?, ?, ?)",
        entry,
        seal(on.seal_key, entry),
        micros(on.now),
    )


def pending(on: On, limit: int) -> tuple[tuple[int, bytes, bytes], ...]:
    """Entries not yet integrated."""
    found = on.run("SELECT id, entry, seal FROM ledger_pending ORDER BY id LIMIT ?", limit)
    return tuple((number, bytes(entry), bytes(sealed)) for number, entry, sealed in found)


def integrate(
    on: On,
    pending: Sequence[int],
    first_index: int,
    entries: Sequence[bytes],
    tiles: Mapping[tuple[int, int], bytes],
) -> None:
    """Give pending entries their indices, and keep changed tiles."""
    if ledger_size(on) != first_index:
        raise taken_by_another("The ledger")
    on.many(
        "INSERT INTO ledger_entries (idx, entry) VALUES (?, ?)",
        [(first_index + offset, entry) for offset, entry in enumerate(entries)],
    )
    on.many("DELETE FROM ledger_pending WHERE id = ?", [(number,) for number in pending])
    on.many(
        "INSERT INTO ledger_tiles (level, number, data) VALUES (?, ?, ?)"
        " ON CONFLICT (level, number) DO UPDATE SET data = excluded.data",
        [(level, number, data) for (level, number), data in tiles.items()],
    )


def ledger_size(on: On) -> int:
    """How many entries are integrated."""
    last = on.run("SELECT max(idx) FROM ledger_entries")[0][0]
    return 0 if last is None else int(last) + 1


def pending_count(on: On) -> tuple[int, datetime | None]:
    """How many entries wait for integration, and since when."""
    count, oldest = on.run("SELECT count(*), min(at) FROM ledger_pending")[0]
    return count, columns.maybe(oldest)


def entries(on: On, first: int, count: int) -> tuple[bytes, ...]:
    """Integrated entries from `first` on."""
    found = on.run(
        "SELECT entry FROM ledger_entries WHERE idx >= ? AND idx < ? ORDER BY idx",
        first,
        first + count,
    )
    return tuple(bytes(entry) for (entry,) in found)


def tile(on: On, level: int, number: int) -> bytes | None:
    """The longest version of a hash tile."""
    found = on.run("SELECT data FROM ledger_tiles WHERE level = ? AND number = ?", level, number)
    return bytes(found[0][0]) if found else None


def publish(on: On, size: int, note: bytes) -> None:
    """Keep a signed checkpoint as the newest."""
    newest = on.run("SELECT max(size) FROM ledger_checkpoints")[0][0]
    if newest is not None and newest > size:
        raise taken_by_another("The checkpoint")
    on.run(
        "INSERT INTO ledger_checkpoints (size, note) VALUES (?, ?)"
        " ON CONFLICT (size) DO UPDATE SET note = excluded.note",
        size,
        note,
    )
    on.run("DELETE FROM ledger_checkpoints WHERE size < ?", size)


def checkpoint(on: On) -> bytes | None:
    """The newest signed checkpoint."""
    found = on.run("SELECT note FROM ledger_checkpoints ORDER BY size DESC LIMIT 1")
    return bytes(found[0][0]) if found else None
