"""The tree's arithmetic, against a naive reading of RFC 6962."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locum.ledger.errors import MalformedArtefact, ProofInvalid
from locum.ledger.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from locum.ledger.tiles import (
    TileName,
    bundles_of,
    decode_bundle,
    edge,
    encode_bundle,
    grow,
    hash_reader,
    tiles_of,
    tree_root,
)


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"entry %d" % number) for number in range(count)]


def build(chunks: list[int]) -> tuple[int, dict[tuple[int, int], bytes]]:
    """Grow a tree chunk by chunk, reading nothing but the edge."""
    every, size = leaves(sum(chunks)), 0
    tiles: dict[tuple[int, int], bytes] = {}
    for chunk in chunks:
        allowed = set(edge(size))

        def read(level: int, number: int, allowed: set[tuple[int, int]] = allowed) -> bytes | None:
            assert (level, number) in allowed, "grow reads only the right edge"
            return tiles.get((level, number))

        growth = grow(size, read, every[size : size + chunk])
        tiles.update(growth.tiles)
        size = growth.size
    return size, tiles


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 65535, 65536, 65537])
def test_the_root_of_a_tree_at_a_border_is_the_naive_one(size: int) -> None:
    _, tiles = build([size])
    assert tree_root(size, lambda level, number: tiles.get((level, number))) == naive_root(
        leaves(size)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 700), max_size=6))
def test_growing_in_chunks_gives_the_naive_root(chunks: list[int]) -> None:
    size, tiles = build(chunks)
    read = lambda level, number: tiles.get((level, number))  # noqa: E731
    assert tree_root(size, read) == naive_root(leaves(size))
    assert {(name.level, name.number): name.width * 32 for name in tiles_of(size)} == {
        place: len(data) for place, data in tiles.items()
    }


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 900), st.data())
def test_every_inclusion_proof_holds_and_no_altered_one_does(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    _, tiles = build([size])
    read = lambda level, number: tiles.get((level, number))  # noqa: E731
    root, leaf = tree_root(size, read), leaves(size)[index]
    proof = list(inclusion_proof(index, size, hash_reader(read)))
    verify_inclusion(leaf, index, size, proof, root)
    for wrong in (
        (hashlib.sha256(leaf).digest(), index, size, proof, root),
        (leaf, index, size, [*proof, root], root),
        (leaf, index, size, proof[:-1] or [root], root),
        (leaf, size, size, proof, root),
        (leaf, index, size, proof, bytes(32)),
    ):
        with pytest.raises(ProofInvalid):
            verify_inclusion(*wrong)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        with pytest.raises(ProofInvalid):
            verify_inclusion(leaf, index, size, proof, root)


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 900), st.integers(0, 900), st.data())
def test_every_consistency_proof_holds_and_no_altered_one_does(
    one: int, other: int, data: st.DataObject
) -> None:
    old, new = sorted((one, other))
    _, tiles = build([new])
    read = lambda level, number: tiles.get((level, number))  # noqa: E731
    roots = naive_root(leaves(old)), naive_root(leaves(new))
    proof = list(consistency_proof(old, new, hash_reader(read)))
    verify_consistency(old, new, proof, *roots)
    with pytest.raises(ProofInvalid):
        verify_consistency(old, new, [*proof, bytes(32)], *roots)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        with pytest.raises(ProofInvalid):
            verify_consistency(old, new, proof, *roots)


def test_a_tile_is_named_in_groups_of_three_digits() -> None:
    assert str(TileName(0, 1234067)) == "tile/0/x001/x234/067"
    assert str(TileName(None, 5, 8)) == "tile/entries/005.p/8"
    assert TileName.parse("tile/1/x001/000.p/255") == TileName(1, 1000, 255)


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/1", "tile/00/001", "tile/0/x000/001", "tile/0/001.p/0", "tile/0/001.p/256",
        "tile/0/001.p/01", "tile/64/001", "tile/-1/001", "tile/0/001/", "tile/0/001.p/ 8",
        "tile/0/../001", "tile/entries/1_0", "/tile/0/001",
    ],
)  # fmt: skip
def test_a_tile_name_out_of_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedArtefact):
        TileName.parse(name)


def test_a_tree_of_256_is_a_full_tile_and_a_partial_one_above() -> None:
    assert [str(name) for name in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [str(name) for name in bundles_of(257)] == ["tile/entries/000", "tile/entries/001.p/1"]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20), st.data())
def test_a_bundle_decodes_to_what_was_encoded_and_to_nothing_else(
    entries: list[bytes], data: st.DataObject
) -> None:
    name = TileName(None, 0, len(entries))
    encoded = encode_bundle(entries)
    assert decode_bundle(encoded, name) == tuple(entries)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedArtefact):
        decode_bundle(encoded[:cut], name)
    with pytest.raises(MalformedArtefact):
        decode_bundle(encoded + b"\x00\x00", name)
