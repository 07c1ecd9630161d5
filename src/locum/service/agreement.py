"""Agreement: replay the ledger, and compare what it says with the state that the store holds.

An entry names the version and the digest of the state that its act led to, and is kept in the
same commit. So for each request the entries say versions 1, 2, 3 …, each once and in order, and
the last of them is the row. Source: law 5; design §9.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from locum.ledger.entry import Entry, decode
from locum.model.digest import digest
from locum.model.names import RequestId
from locum.model.request import ask_of
from locum.store.port import Transaction
from locum.store.records import Row

_AT_ONCE = 1_000


class Disagreement(msgspec.Struct, frozen=True):
    """One request about which ledger and state say different things."""

    request: RequestId
    fact: str


class Agreement(msgspec.Struct, frozen=True):
    """What a replay found; it agrees where `disagreements` is empty."""

    entries: int
    requests: int
    disagreements: tuple[Disagreement, ...]


def compare(transaction: Transaction) -> Agreement:
    """Replay all entries, integrated and pending, against every request.

    Args:
        transaction: one snapshot (`Store.look`), so that nothing moves meanwhile.

    Raises:
        MalformedInput: an entry is none of ours; verify the ledger first.
    """
    told: dict[RequestId, tuple[int, str]] = {}
    found: list[Disagreement] = []
    entries = requests = 0
    for encoded in _entries(transaction):
        entries += 1
        entry = decode(encoded)
        if entry.version:
            found += _follows(told, entry)
    for row in _rows(transaction):
        requests += 1
        found += _same(row, told.pop(ask_of(row.state).id, (0, "")))
    found += [Disagreement(request, "is in the ledger and not in the state.") for request in told]
    return Agreement(entries, requests, tuple(found))


def _follows(told: dict[RequestId, tuple[int, str]], entry: Entry) -> Iterator[Disagreement]:
    request = RequestId(entry.subject)
    last, _ = told.get(request, (0, ""))
    if entry.version != last + 1:
        yield Disagreement(request, f"goes from version {last} to {entry.version} in the ledger.")
    told[request] = (entry.version, entry.state_digest)


def _same(row: Row, told: tuple[int, str]) -> Iterator[Disagreement]:
    request = ask_of(row.state).id
    version, said = told
    if version != row.version:
        yield Disagreement(request, f"has version {row.version}; the ledger ends at {version}.")
    elif said != digest(row.state):
        yield Disagreement(request, f"is not, in version {version}, what the ledger says.")


def _entries(transaction: Transaction) -> Iterator[bytes]:
    size = transaction.ledger_size()
    for first in range(0, size, _AT_ONCE):
        yield from transaction.entries(first, min(_AT_ONCE, size - first))
    waiting, _ = transaction.pending_count()
    for _, entry, _ in transaction.pending(waiting):
        yield entry


def _rows(transaction: Transaction) -> Iterable[Row]:
    cursor = None
    while True:
        page = transaction.requests(cursor=cursor, limit=_AT_ONCE)
        yield from page.rows
        cursor = page.cursor
        if cursor is None:
            return
