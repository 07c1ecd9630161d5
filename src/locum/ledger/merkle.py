"""Merkle tree arithmetic of RFC 6962 §2.1: hashes, inclusion and consistency proofs.

Verification raises; it never gives back a boolean that a caller could overlook.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from locum.ledger.errors import ProofInvalid

HASH_SIZE = 32
LARGEST_SIZE = 2**63 - 1
EMPTY_ROOT = hashlib.sha256(b"").digest()
HashReader = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree `index` of height `level` (leaves are level 0)."""


def leaf_hash(entry: bytes) -> bytes:
    """H(0x00 ‖ entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_hash(size: int, read: HashReader) -> bytes:
    """The root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range_hash(0, size, read)


def inclusion_proof(index: int, size: int, read: HashReader) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in the tree of `size`, the leaf's sibling first.

    Raises:
        ProofInvalid: the index is not in the tree.

    Source: RFC 6962 §2.1.1.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"Entry {index} is not in a tree of {size}.", "Ask for one that is.")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, read))
            high = middle
        else:
            path.append(_range_hash(low, middle, read))
            low = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, read: HashReader) -> tuple[bytes, ...]:
    """The proof that the tree of `new` leaves extends that of `old`.

    Raises:
        ProofInvalid: `old` is larger than `new`.

    Source: RFC 6962 §2.1.2.
    """
    if not 0 <= old <= new:
        raise ProofInvalid(f"A tree of {new} cannot extend one of {old}.", "Swap the sizes.")
    if old in (0, new):
        return ()
    return tuple(_subproof(old, 0, new, True, read))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` (its hash) is entry `index` of the tree of `size` with `root`.

    Raises:
        ProofInvalid: it is not shown.

    Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size <= LARGEST_SIZE:
        raise _unproved(f"entry {index} is not in a tree of {size}")
    _only_hashes(leaf, root, *proof)
    place, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _unproved("the proof is too long")
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        place >>= 1
        last >>= 1
    if last != 0 or computed != root:
        raise _unproved(f"entry {index} is not shown to be in the tree of {size}")


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree of `new` with `new_root` extends that of `old` with `old_root`.

    Raises:
        ProofInvalid: it is not shown.

    Source: RFC 9162 §2.1.4.2.
    """
    if not 0 <= old <= new <= LARGEST_SIZE:
        raise _unproved(f"a tree of {new} cannot extend one of {old}")
    _only_hashes(old_root, new_root, *proof)
    if old == new or old == 0:
        if proof or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise _unproved("the roots differ at one size")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise _unproved("the proof is empty")
    place, last = old - 1, new - 1
    while place & 1:
        place >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _unproved("the proof is too long")
        if place & 1 or place == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        place >>= 1
        last >>= 1
    if last != 0 or first != old_root or second != new_root:
        raise _unproved(f"the tree of {new} is not shown to extend that of {old}")


def _unproved(fact: str) -> ProofInvalid:
    return ProofInvalid(f"The proof does not hold: {fact}.", "Fetch it anew; if it stays, alarm.")


def _only_hashes(*values: bytes) -> None:
    if any(len(value) != HASH_SIZE for value in values):
        raise _unproved("a hash in it is not 32 bytes long")


def _split(width: int) -> int:
    return 1 << (width - 1).bit_length() - 1


def _range_hash(low: int, high: int, read: HashReader) -> bytes:
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return read(level, low >> level)
    middle = low + _split(width)
    return node_hash(_range_hash(low, middle, read), _range_hash(middle, high, read))


def _subproof(old: int, low: int, high: int, known: bool, read: HashReader) -> list[bytes]:
    if old == high:
        return [] if known else [_range_hash(low, high, read)]
    middle = low + _split(high - low)
    if old <= middle:
        return [*_subproof(old, low, middle, known, read), _range_hash(middle, high, read)]
    return [*_subproof(old, middle, high, False, read), _range_hash(low, middle, read)]
