"""Verification: replay a whole ledger offline, and name the first thing that does not fit.

The signed checkpoint is the judge. Where the entries lead to the signed root, every tile that does
not follow from them is wrong, and the first is named. Where they do not, the stored tiles are
walked down from the signed root, each believed only if it hashes to what is believed above it, to
the first entry that is not what was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Protocol

import msgspec

from locum.ledger.checkpoint import Checkpoint, open_checkpoint
from locum.ledger.errors import Tampered
from locum.ledger.merkle import HASH_SIZE, leaf_hash
from locum.ledger.note import VerifierKey
from locum.ledger.tiles import (
    WIDTH,
    TileName,
    bundles_of,
    split_bundle,
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
        visit: given each entry's index and bytes once its bundle fits its tile; believe what it
            saw only once `verify_log` returns.

    Raises:
        Tampered: names the first entry or tile that does not fit.
        ProofInvalid, MalformedArtefact: the checkpoint itself is not to be trusted.
    """
    checkpoint = open_checkpoint(source.checkpoint(), keys)
    replay = _Replay(source, checkpoint.size)
    for bundle in bundles_of(checkpoint.size):
        entries = replay.take(bundle)
        if visit is not None:
            for index, entry in enumerate(entries, bundle.number * WIDTH):
                visit(index, entry)
        if progress is not None:
            progress(bundle.number * WIDTH + bundle.width, checkpoint.size)
    replay.finish()
    if tree_root(checkpoint.size, replay.computed) != checkpoint.root:
        raise _altered(replay, checkpoint)
    names = tiles_of(checkpoint.size)
    replay.demand_tiles(names)
    return LogReport(checkpoint, checkpoint.size, len(names))


class _Replay:
    """The tree that the entries lead to; of level 0 only the right edge is kept."""

    def __init__(self, source: LogSource, size: int) -> None:
        self.source = source
        self.names = {(name.level or 0, name.number): name for name in _edge(size)}
        self.odd: TileName | None = None
        self.torn: dict[int, tuple[TileName, str]] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._open: list[list[bytes]] = []
        self._counts: list[int] = []

    def take(self, bundle: TileName) -> tuple[bytes, ...]:
        """Add a bundle to the tree; gives its entries where they fit their tile."""
        entries, leaves, fault = _read_bundle(self.source, bundle)
        if fault:
            self.torn[bundle.number] = bundle, fault
        self._add(leaves, 0)
        name = TileName(0, bundle.number, bundle.width)
        if not fault and self.source.tile(name) == b"".join(leaves):
            return entries
        self.odd = self.odd or name
        return ()

    def _add(self, hashes: list[bytes], level: int) -> None:
        if len(self._open) == level:
            self._open.append([])
            self._counts.append(0)
        row = self._open[level]
        row.extend(hashes)
        while len(row) >= WIDTH:
            tile = b"".join(row[:WIDTH])
            del row[:WIDTH]
            if level:
                self._tiles[(level, self._counts[level])] = tile
            self._counts[level] += 1
            self._add([tile_root(tile)], level + 1)

    def finish(self) -> None:
        """Keep the partial tiles of the right edge."""
        for level, row in enumerate(self._open):
            if row:
                self._tiles[(level, self._counts[level])] = b"".join(row)

    def computed(self, level: int, number: int) -> bytes | None:
        """The tile that the entries lead to."""
        found = self._tiles.get((level, number))
        if found is None and level == 0:
            return b"".join(_read_bundle(self.source, TileName(None, number))[1])
        return found

    def fault_at(self, index: int, otherwise: str) -> str:
        """What is wrong with the bundle that should hold an entry, where that is known."""
        torn = self.torn.get(index // WIDTH)
        return otherwise if torn is None else f"{torn[0]} {torn[1]}"

    def demand_tiles(self, names: Sequence[TileName]) -> None:
        """Name the first tile that does not follow from the entries, which are as signed."""
        for bundle, fault in self.torn.values():
            raise Tampered(str(bundle), fault, _RESTORE)
        if self.odd is not None:
            raise _odd_tile(self.odd)
        for name in names:
            level = name.level or 0
            if level and self.source.tile(name) != self.computed(level, name.number):
                raise _odd_tile(name)

    def believed_edge(self, size: int, root: bytes) -> dict[tuple[int, int], bytes]:
        """The right edge's tiles, stored or computed, that lead to the signed root, if any do."""
        places = sorted(self.names, reverse=True)
        choices = [
            {self.source.tile(self.names[place]) or b"", self.computed(*place) or b""}
            for place in places
        ]
        for chosen in product(*choices):
            edge = dict(zip(places, chosen, strict=True))
            fits = all(len(edge[at]) == self.names[at].width * HASH_SIZE for at in places)
            if fits and tree_root(size, lambda *at, kept=edge: kept.get(at)) == root:
                return edge
        return {}

    def misfit(self, level: int, number: int, believed: bytes) -> tuple[int, int] | None:
        """The first and last entry under the first hash of a believed tile that has no entries."""
        computed = self.computed(level, number) or b""
        place = _first_difference(believed, computed)
        if place is None:
            return None
        index = number * WIDTH + place
        span = index << 8 * level, ((index + 1) << 8 * level) - 1
        if level == 0:
            return span
        below = self.source.tile(TileName(level - 1, index)) or b""
        expected = believed[place * HASH_SIZE : (place + 1) * HASH_SIZE]
        if len(below) != WIDTH * HASH_SIZE or tile_root(below) != expected:
            return span
        return self.misfit(level - 1, index, below) or span


def _altered(replay: _Replay, checkpoint: Checkpoint) -> Tampered:
    """Say which entry is not what was signed, as exactly as the tiles allow."""
    edge = replay.believed_edge(checkpoint.size, checkpoint.root)
    for (level, number), believed in edge.items():
        span = replay.misfit(level, number, believed)
        if span is None:
            continue
        first, last = span
        if first == last:
            return Tampered(
                f"entry {first}", replay.fault_at(first, "it is not what was signed."), _RESTORE
            )
        return Tampered(
            f"entries {first} to {last}",
            "one of them or more is not what was signed, and their tile was altered with them.",
            _RESTORE,
        )
    if replay.odd is not None:
        number = replay.odd.number
        stored, computed = replay.source.tile(replay.odd) or b"", replay.computed(0, number) or b""
        index = number * WIDTH + (_first_difference(computed, stored) or 0)
        fact = f"it does not fit {replay.odd}, and neither leads to the signed root."
        return Tampered(f"entry {index}", replay.fault_at(index, fact), _RESTORE)
    return Tampered(
        "checkpoint", "the entries and tiles agree, and do not lead to the signed root.", _RESTORE
    )


def _read_bundle(source: LogSource, bundle: TileName) -> tuple[tuple[bytes, ...], list[bytes], str]:
    """A bundle's entries, their hashes (zeros where one cannot be read), and its fault."""
    data = source.tile(bundle)
    entries, rest = split_bundle(data or b"", bundle.width)
    missing = bundle.width - len(entries)
    leaves = [*map(leaf_hash, entries), *([bytes(HASH_SIZE)] * missing)]
    if data is None:
        return entries, leaves, "is missing."
    if missing or rest:
        return entries, leaves, f"does not hold exactly {bundle.width} entries."
    return entries, leaves, ""


def _edge(size: int) -> list[TileName]:
    return [name for name in tiles_of(size) if name.width < WIDTH]


def _first_difference(expected: bytes, found: bytes) -> int | None:
    for at in range(0, len(expected), HASH_SIZE):
        if found[at : at + HASH_SIZE] != expected[at : at + HASH_SIZE]:
            return at // HASH_SIZE
    return None


def _odd_tile(name: TileName) -> Tampered:
    return Tampered(
        str(name), "it is not what the entries, which are as signed, lead to.", _RESTORE
    )
