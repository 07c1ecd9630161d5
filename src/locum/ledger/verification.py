"""Verification: replay a whole ledger offline, and name the first thing that does not fit.

The signed checkpoint is the judge. Where the entries lead to the signed root, every tile that does
not follow from them is wrong, and the first is named; where they do not, the first entry that does
not hash to its place in the tiles is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from locum.ledger.checkpoint import Checkpoint, open_checkpoint
from locum.ledger.errors import MalformedArtefact, Tampered
from locum.ledger.merkle import HASH_SIZE, leaf_hash
from locum.ledger.note import VerifierKey
from locum.ledger.tiles import (
    WIDTH,
    TileName,
    bundles_of,
    decode_bundle,
    tile_root,
    tiles_of,
    tree_root,
)

_RESTORE = "Compare with an export or a backup; what is signed stays provable from there."


class LogSource(Protocol):
    """Where a ledger is read from: a folder, a server, a store."""

    def checkpoint(self) -> bytes:
        """The signed checkpoint. Raises `LedgerError` where there is none."""
        ...

    def tile(self, name: TileName) -> bytes | None:
        """A tile's or a bundle's bytes, `None` where it is missing."""
        ...


class LogReport(msgspec.Struct, frozen=True):
    """What was verified."""

    checkpoint: Checkpoint
    entries: int
    tiles: int


def verify_log(
    source: LogSource,
    keys: Sequence[VerifierKey],
    *,
    progress: Callable[[int, int], None] | None = None,
    visit: Callable[[int, bytes], None] | None = None,
) -> LogReport:
    """Replay every entry and every tile against the signed checkpoint.

    Args:
        progress: told (entries done, entries in all).
        visit: given each entry's index and bytes once its bundle fits its tile.

    Raises:
        Tampered: names the first entry or tile that does not fit.
        ProofInvalid, MalformedArtefact: the checkpoint itself is not to be trusted.
    """
    checkpoint = open_checkpoint(source.checkpoint(), keys)
    computed = _Computed()
    odd_entry: int | None = None
    for bundle in bundles_of(checkpoint.size):
        first = bundle.number * WIDTH
        entries = _entries(source, bundle)
        leaves = [leaf_hash(entry) for entry in entries]
        computed.add(leaves)
        stored = source.tile(TileName(0, bundle.number, bundle.width))
        if odd_entry is None and stored != b"".join(leaves):
            odd_entry = first + _first_difference(stored or b"", b"".join(leaves))
        for offset, entry in enumerate(entries if visit is not None else ()):
            visit(first + offset, entry)  # type: ignore[misc]
        if progress is not None:
            progress(first + bundle.width, checkpoint.size)
    computed.finish()
    names = tiles_of(checkpoint.size)
    if tree_root(checkpoint.size, computed.read) == checkpoint.root:
        _name_odd_tile(source, names, computed)
        return LogReport(checkpoint, checkpoint.size, len(names))
    place = "checkpoint" if odd_entry is None else f"entry {odd_entry}"
    fact = (
        "the entries and tiles agree, and do not lead to the signed root."
        if odd_entry is None
        else "it is not what was signed."
    )
    raise Tampered(place, fact, _RESTORE)


class _Computed:
    """The tiles that the entries lead to."""

    def __init__(self) -> None:
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._open: list[list[bytes]] = []
        self._counts: list[int] = []

    def add(self, hashes: list[bytes], level: int = 0) -> None:
        if len(self._open) == level:
            self._open.append([])
            self._counts.append(0)
        row = self._open[level]
        row.extend(hashes)
        while len(row) >= WIDTH:
            tile = b"".join(row[:WIDTH])
            del row[:WIDTH]
            self._tiles[(level, self._counts[level])] = tile
            self._counts[level] += 1
            self.add([tile_root(tile)], level + 1)

    def finish(self) -> None:
        """Keep the partial tiles of the right edge."""
        for level, row in enumerate(self._open):
            if row:
                self._tiles[(level, self._counts[level])] = b"".join(row)

    def read(self, level: int, number: int) -> bytes | None:
        return self._tiles.get((level, number))


def _name_odd_tile(source: LogSource, names: Sequence[TileName], computed: _Computed) -> None:
    for name in names:
        if source.tile(name) != computed.read(name.level or 0, name.number):
            raise Tampered(
                str(name), "it is not what the entries, which are as signed, lead to.", _RESTORE
            )


def _first_difference(stored: bytes, expected: bytes) -> int:
    for at in range(0, len(expected), HASH_SIZE):
        if stored[at : at + HASH_SIZE] != expected[at : at + HASH_SIZE]:
            return at // HASH_SIZE
    return 0


def _entries(source: LogSource, bundle: TileName) -> tuple[bytes, ...]:
    first = bundle.number * WIDTH
    data = source.tile(bundle)
    if data is None:
        raise Tampered(f"entry {first}", f"{bundle} is missing.", _RESTORE)
    try:
        return decode_bundle(data, bundle)
    except MalformedArtefact as error:
        hashes = source.tile(TileName(0, bundle.number, bundle.width)) or b""
        raise Tampered(_first_misfit(data, hashes, first), error.fact, _RESTORE) from None


def _first_misfit(data: bytes, hashes: bytes, first: int) -> str:
    at = offset = 0
    while at + 2 <= len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        expected = hashes[offset * HASH_SIZE : (offset + 1) * HASH_SIZE]
        if end > len(data) or leaf_hash(data[at + 2 : end]) != expected:
            break
        at, offset = end, offset + 1
    return f"entry {first + offset}"
