"""What other implementations of the same formats agree on (vectors/public.json)."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.ledger.errors import MalformedArtefact, ProofInvalid
from locum.ledger.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from locum.ledger.note import Signer, VerifierKey, open_note
from locum.ledger.tiles import TileName, grow, hash_reader, tiles_of, tree_root

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "vectors" / "public.json").read_text(encoding="utf-8")
)
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
ROOTS = [EMPTY_ROOT, *map(bytes.fromhex, VECTORS["roots"])]
ELSE = bytes.fromhex("abacaba0") + bytes(28)


def tile(level: int, number: int) -> bytes | None:
    return grow(0, lambda *_: None, LEAVES).tiles.get((level, number))


def proof_of(case: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(one) for one in case["proof"]]


def altered(proof: list[bytes], *known: bytes) -> list[list[bytes]]:
    """The ways in which the public suites spoil a proof."""
    spoilt = [
        wrong for extra in (b"", ELSE, *known) for wrong in ([*proof, extra], [extra, *proof])
    ]
    for at, one in enumerate(proof):
        spoilt.append([*proof[:at], bytes([one[0] ^ 8]) + one[1:], *proof[at + 1 :]])
        spoilt.append([*proof[:at], *proof[at + 1 :]])
        spoilt.append([*proof[:at], ELSE, *proof[at:]])
    return spoilt


@pytest.mark.parametrize("size", range(9))
def test_the_root_of_every_public_tree_is_ours(size: int) -> None:
    assert tree_root(size, tile) == ROOTS[size]


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=str)
def test_a_public_inclusion_proof_is_ours_and_holds(case: dict[str, Any]) -> None:
    index, size, proof = case["index"], case["size"], proof_of(case)
    assert list(inclusion_proof(index, size, hash_reader(tile))) == proof
    verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=str)
def test_no_altered_public_inclusion_proof_holds(case: dict[str, Any]) -> None:
    index, size, proof = case["index"], case["size"], proof_of(case)
    leaf, root = LEAVES[index], ROOTS[size]
    wrong = [(leaf, index, size, spoilt, root) for spoilt in altered(proof, root)]
    wrong += [(leaf, other, size, proof, root) for other in (index - 1, index + 1, index ^ 2)]
    wrong += [(leaf, index, other, proof, root) for other in (size * 2, size // 2)]
    wrong += [(leaf, index, size, proof, other) for other in (EMPTY_ROOT, ELSE, b"")]
    wrong += [(other, index, size, proof, root) for other in (ELSE, b"", b"wrong leaf")]
    for arguments in wrong:
        with pytest.raises(ProofInvalid):
            verify_inclusion(*arguments)


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=str)
def test_a_public_consistency_proof_is_ours_and_holds(case: dict[str, Any]) -> None:
    old, new, proof = case["old"], case["new"], proof_of(case)
    assert list(consistency_proof(old, new, hash_reader(tile))) == proof
    verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=str)
def test_no_altered_public_consistency_proof_holds(case: dict[str, Any]) -> None:
    old, new, proof = case["old"], case["new"], proof_of(case)
    roots = ROOTS[old], ROOTS[new]
    wrong = [(old, new, spoilt, *roots) for spoilt in altered(proof, *roots)]
    wrong += [(other, new, proof, *roots) for other in (old - 1, old + 1, old ^ 2)]
    wrong += [(old, other, proof, *roots) for other in (new * 2, new // 2)]
    wrong += [(old, new, proof, b"wrong", roots[1]), (old, new, proof, roots[0], b"wrong")]
    if old != new:
        wrong += [(old, new, proof, roots[1], roots[0]), (old, new, [], *roots)]
    for arguments in wrong:
        with pytest.raises(ProofInvalid):
            verify_consistency(*arguments)


@pytest.mark.parametrize(
    ("old", "new", "roots", "proof"),
    [
        (0, 0, (ELSE, EMPTY_ROOT), []), (1, 1, (EMPTY_ROOT, ELSE), []), (1, 0, (ELSE, ELSE), []),
        (2, 1, (ELSE, ELSE), []), (1, 2, (ELSE, ELSE), []), (0, 0, (EMPTY_ROOT,) * 2, [ELSE]),
        (0, 1, (EMPTY_ROOT, ELSE), [ELSE]), (1, 1, (ELSE, ELSE), [ELSE]), (0, 1, (ELSE, ELSE), []),
    ],
)  # fmt: skip
def test_an_empty_or_backward_consistency_claim_is_refused(
    old: int, new: int, roots: tuple[bytes, bytes], proof: list[bytes]
) -> None:
    with pytest.raises(ProofInvalid):
        verify_consistency(old, new, proof, *roots)


def test_signing_gives_the_bytes_of_the_published_note() -> None:
    case = VECTORS["signed_note"]
    seed = bytes.fromhex(case["published_seed"])
    signer = Signer(case["name"], Ed25519PrivateKey.from_private_bytes(seed))
    assert str(signer.verifier) == case["verifier_key"]
    text, line = case["text"].encode(), signer.sign(case["text"].encode())
    assert line == case["line"].encode()
    assert open_note(text + b"\n" + line, [signer.verifier]) == text


@pytest.mark.parametrize(("text", "kind"), VECTORS["verifier_keys"].items())
def test_a_verifier_key_of_another_implementation_reads_and_writes_back(
    text: str, kind: int
) -> None:
    key = VerifierKey.parse(text)
    assert (str(key), key.kind) == (text, kind)


@pytest.mark.parametrize("text", VECTORS["refused_verifier_keys"])
def test_a_verifier_key_that_others_refuse_is_refused(text: str) -> None:
    with pytest.raises(MalformedArtefact):
        VerifierKey.parse(text)


def test_no_part_and_no_slip_of_a_verifier_key_is_one() -> None:
    text = VECTORS["signed_note"]["verifier_key"]
    parts = {text[low:high] for low in range(len(text)) for high in range(low, len(text) + 1)}
    slips = {text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :] for at in range(len(text))}
    for wrong in (parts | slips) - {text}:
        with pytest.raises(MalformedArtefact):
            VerifierKey.parse(wrong)


@pytest.mark.parametrize(("size", "expected"), VECTORS["tiles"].items())
def test_a_tree_has_the_tiles_of_the_specification(
    size: str, expected: dict[str, list[int]]
) -> None:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name in tiles_of(int(size)):
        if name.width == 256:
            found[str(name.level)][0] += 1
        else:
            found[str(name.level)][1] = name.width
    assert found == expected


@pytest.mark.parametrize(("number", "text"), VECTORS["tile_number"].items())
def test_a_tile_number_is_spelt_as_in_the_specification(number: str, text: str) -> None:
    assert str(TileName(0, int(number))) == f"tile/0/{text}"
