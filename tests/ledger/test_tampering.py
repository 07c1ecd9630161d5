"""Several things altered at once: who is accused, and who is not."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locum.ledger.errors import Tampered
from locum.ledger.merkle import leaf_hash
from locum.ledger.tiles import TileName, encode_bundle, grow
from locum.ledger.verification import verify_log

from .test_signed import MemorySource, signer

KEYS = (signer().verifier,)
FORGED = b'{"entry":"forged"}'


class Altered:
    """A ledger of which some files were replaced (`None`: removed) after it was signed."""

    def __init__(self, honest: MemorySource) -> None:
        self.honest = honest
        self.files: dict[str, bytes | None] = {}

    def checkpoint(self) -> bytes:
        return self.honest.checkpoint()

    def tile(self, name: TileName) -> bytes | None:
        return self.files.get(str(name), self.honest.tile(name))

    def content(self, name: str) -> bytes:
        found = self.tile(TileName.parse(name))
        assert found is not None
        return found

    def flip(self, name: str, place: int, bit: int = 0) -> None:
        data = bytearray(self.content(name))
        data[place] ^= 1 << bit
        self.files[name] = bytes(data)

    def forge(self, index: int, *, with_tile: bool = False) -> None:
        bundle = bundle_of(index, self.honest.size)
        first = bundle.number * 256
        entries = list(self.honest.entries[first : first + bundle.width])
        entries[index - first] = FORGED
        self.files[str(bundle)] = encode_bundle(entries)
        if with_tile:
            leaves = b"".join(map(leaf_hash, entries))
            self.files[str(TileName(0, bundle.number, bundle.width))] = leaves


def bundle_of(index: int, size: int) -> TileName:
    return TileName(None, index // 256, min(256, size - index // 256 * 256))


def accused(log: Altered) -> str:
    with pytest.raises(Tampered) as caught:
        verify_log(log, KEYS)
    assert caught.value.remedy
    return caught.value.place


@pytest.fixture(scope="module")
def honest() -> MemorySource:
    return MemorySource(66_000)


@pytest.mark.parametrize(
    ("alter", "place"),
    [
        (lambda log: (log.flip("tile/0/000", 96), log.forge(300)), "entry 300"),
        (lambda log: (log.flip("tile/1/000", 0), log.forge(300)), "entries 0 to 65535"),
        (lambda log: (log.flip("tile/1/001.p/1", 0), log.forge(300)), "entry 300"),
        (lambda log: (log.flip("tile/2/000.p/1", 0), log.forge(300)), "entry 300"),
        (lambda log: log.forge(300, with_tile=True), "entries 256 to 511"),
        (lambda log: (log.forge(65_999), log.forge(70)), "entry 70"),
        (lambda log: log.forge(65_999), "entry 65999"),
        (lambda log: (log.forge(300), log.files.update({"tile/entries/000": None})), "entry 0"),
        (lambda log: (log.forge(300), log.files.update({"tile/entries/002": None})), "entry 300"),
        (lambda log: log.files.update({"tile/entries/257.p/208": None}), "entry 65792"),
        (lambda log: log.files.update({"tile/0/003": None}), "tile/0/003"),
        (lambda log: log.files.update({"tile/1/000": None}), "tile/1/000"),
        (lambda log: log.files.update({"tile/2/000.p/1": b""}), "tile/2/000.p/1"),
        (
            lambda log: log.files.update(
                {"tile/entries/001": log.content("tile/entries/001") + b"\0\0"}
            ),
            "tile/entries/001",
        ),
        (
            lambda log: log.files.update({"tile/entries/001": log.content("tile/entries/002")}),
            "entry 256",
        ),
    ],
)
def test_the_first_thing_that_is_not_as_signed_is_accused(
    honest: MemorySource, alter: Callable[[Altered], object], place: str
) -> None:
    log = Altered(honest)
    alter(log)
    assert accused(log) == place


def test_a_ledger_rewritten_from_the_ground_up_accuses_the_whole(honest: MemorySource) -> None:
    log = Altered(honest)
    entries = [*honest.entries]
    entries[300] = FORGED
    other = grow(0, lambda *_: None, list(map(leaf_hash, entries))).tiles
    log.files = {
        str(TileName(level, number, len(data) // 32)): data
        for (level, number), data in other.items()
    }
    log.forge(300)
    assert accused(log) == "checkpoint"


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_no_entry_is_accused_that_is_as_signed(seed: int) -> None:
    chance, log = random.Random(seed), Altered(MemorySource(600))
    size = log.honest.size
    forged = sorted(chance.sample(range(size), chance.randint(1, 3)))
    for index in forged:
        log.forge(index)
    for name in chance.sample(["tile/0/000", "tile/0/001", "tile/0/002.p/88"], 1):
        log.flip(name, chance.randrange(88 * 32), chance.randrange(8))
    assert not {"checkpoint", "tile"} & {accused(log).split("/")[0]}
    words = accused(log).split()
    first, last = int(words[1]), int(words[-1])
    assert first <= forged[0] <= last or words[0] == "entry"
    if words[0] == "entry" and first not in forged:
        # Where the edge's tile and its entries are both damaged, nothing vouches for either.
        assert "tile/0/002.p/88" in log.files
        assert forged[0] >= 512


def test_what_does_not_fit_its_tile_is_not_visited(honest: MemorySource) -> None:
    log, seen = Altered(honest), set[int]()
    log.forge(300)
    log.files["tile/entries/003"] = log.content("tile/entries/003") + b"\0\0"
    with pytest.raises(Tampered):
        verify_log(log, KEYS, visit=lambda index, _: seen.add(index))
    assert seen == {*range(66_000)} - {*range(256, 512)} - {*range(768, 1024)}
