"""Tiles: the tree's hashes in files of at most 256, and entries in bundles of at most 256.

`tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]` of C2SP tlog-tiles. A stored tile is its
longest version; every narrower `.p/<W>` is a prefix of it. A partial tile is never hashed upward.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from locum.ledger.errors import MalformedArtefact
from locum.ledger.merkle import HASH_SIZE, LARGEST_SIZE, HashReader, node_hash, root_hash

WIDTH = 256
LONGEST_ENTRY = 65_535
LARGEST_BUNDLE = WIDTH * (2 + LONGEST_ENTRY)
TileReader = Callable[[int, int], bytes | None]
"""Gives the longest version of tile (level, number), or `None`."""
_NAME = re.compile(
    r"tile/(?:(?P<entries>entries)|(?P<level>0|[1-9][0-9]?))/"
    r"(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class TileName(msgspec.Struct, frozen=True, order=True):
    """A tile's place. `level` is `None` for an entry bundle, `width` 256 for a full one."""

    level: int | None
    number: int
    width: int = WIDTH

    def __str__(self) -> str:
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        kind = "entries" if self.level is None else str(self.level)
        return f"tile/{kind}/{number}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, text: str) -> TileName:
        """Read a tile's name in its one canonical form.

        Raises:
            MalformedArtefact: it is not one.
        """
        found = _NAME.fullmatch(text)
        if found is not None:
            level = None if found["entries"] else int(found["level"])
            number = int(found["number"].replace("x", "").replace("/", ""))
            name = cls(level, number, int(found["width"] or WIDTH))
            if (level or 0) <= 63 and name.width <= WIDTH and str(name) == text:
                return name
        raise MalformedArtefact(f"{text!r} names no tile.", "E.g. tile/0/x001/x234/067.p/8.")


class Growth(msgspec.Struct, frozen=True):
    """What appending leaves to a tree changes: each changed tile in its longest version."""

    size: int
    tiles: Mapping[tuple[int, int], bytes]


def edge(size: int) -> tuple[tuple[int, int], ...]:
    """The partial tiles at the right edge of a tree of `size`, which `grow` reads."""
    places: list[tuple[int, int]] = []
    level = 0
    while size >> (8 * level):
        count = size >> (8 * level)
        if count % WIDTH:
            places.append((level, count // WIDTH))
        level += 1
    return tuple(places)


def grow(size: int, read: TileReader, leaves: Sequence[bytes]) -> Growth:
    """Append leaf hashes to a tree of `size`.

    Args:
        read: gives the edge's tiles.
        leaves: hashes of the new entries, in order.

    Returns:
        The new size and every tile that changed.

    Raises:
        MalformedArtefact: an edge tile is missing or not as wide as the size says, a leaf is not
            32 bytes, or the log would be too large.
    """
    if not 0 <= size <= LARGEST_SIZE - len(leaves):
        raise MalformedArtefact(f"A log of {size} entries cannot grow.", "Start a new log.")
    if any(len(leaf) != HASH_SIZE for leaf in leaves):
        raise MalformedArtefact("A leaf is not a hash of 32 bytes.", "Give `leaf_hash(entry)`.")
    changed: dict[tuple[int, int], bytes] = {}
    start, added, level = size, list(leaves), 0
    while added:
        number, width = divmod(start, WIDTH)
        data = bytearray()
        if width:
            data += stored_tile(read, level, number, width)
        data += b"".join(added)
        above: list[bytes] = []
        for at in range(0, len(data), WIDTH * HASH_SIZE):
            tile = bytes(data[at : at + WIDTH * HASH_SIZE])
            changed[(level, number)] = tile
            if len(tile) == WIDTH * HASH_SIZE:
                above.append(tile_root(tile))
            number += 1
        start, added, level = start // WIDTH, above, level + 1
    return Growth(size + len(leaves), changed)


def stored_tile(read: TileReader, level: int, number: int, width: int) -> bytes:
    """The first `width` hashes of a tile.

    Raises:
        MalformedArtefact: it is missing or narrower.
    """
    data = read(level, number)
    if data is None or len(data) < width * HASH_SIZE or len(data) > WIDTH * HASH_SIZE:
        name = TileName(level, number, width)
        raise MalformedArtefact(
            f"{name} is missing or has the wrong length.", "Restore it from a backup."
        )
    return data[: width * HASH_SIZE]


def tile_root(tile: bytes) -> bytes:
    """The root of a tile's hashes; their count is a power of two."""
    hashes = [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def hash_reader(read: TileReader) -> HashReader:
    """Read complete subtrees' hashes out of tiles; each tile is read once: one reader per proof."""
    kept: dict[tuple[int, int], bytes | None] = {}

    def once(level: int, number: int) -> bytes | None:
        if (level, number) not in kept:
            kept[(level, number)] = read(level, number)
        return kept[(level, number)]

    def subtree(level: int, index: int) -> bytes:
        height, within = divmod(level, 8)
        first = index << within
        number, offset = divmod(first, WIDTH)
        count = 1 << within
        data = stored_tile(once, height, number, offset + count)
        return tile_root(data[offset * HASH_SIZE : (offset + count) * HASH_SIZE])

    return subtree


def tree_root(size: int, read: TileReader) -> bytes:
    """The root of a tree of `size` out of its tiles."""
    return root_hash(size, hash_reader(read))


def tiles_of(size: int) -> tuple[TileName, ...]:
    """Every hash tile of a tree of `size`, lowest level first, each at its width."""
    names: list[TileName] = []
    level = 0
    while size >> (8 * level):
        full, width = divmod(size >> (8 * level), WIDTH)
        names += [TileName(level, number) for number in range(full)]
        if width:
            names.append(TileName(level, full, width))
        level += 1
    return tuple(names)


def bundles_of(size: int) -> tuple[TileName, ...]:
    """Every entry bundle of a tree of `size`."""
    full, width = divmod(size, WIDTH)
    names = [TileName(None, number) for number in range(full)]
    return (*names, TileName(None, full, width)) if width else tuple(names)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length as big-endian uint16.

    Raises:
        MalformedArtefact: an entry is longer than 65,535 bytes.
    """
    if any(len(entry) > LONGEST_ENTRY for entry in entries):
        raise MalformedArtefact("An entry is too long.", "Record a large payload by its hash.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, name: TileName) -> tuple[bytes, ...]:
    """The entries of a bundle.

    Raises:
        MalformedArtefact: not exactly as many as the name says.
    """
    entries, rest = split_bundle(data, name.width)
    if rest or len(entries) != name.width:
        first = name.number * WIDTH + len(entries)
        raise MalformedArtefact(
            f"{name} does not hold {name.width} entries: entry {first} does not fit.",
            "Restore it from a backup.",
        )
    return entries


def split_bundle(data: bytes, most: int) -> tuple[tuple[bytes, ...], bytes]:
    """The first entries of a bundle as far as they can be read, at most `most`, and the rest."""
    entries: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(entries) < most:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            break
        entries.append(data[at + 2 : end])
        at = end
    return tuple(entries), data[at:]
