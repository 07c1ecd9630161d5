"""Receipts (C2SP tlog-proof v1): the proof that one entry is in the ledger, checkable offline."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from locum.ledger.checkpoint import Checkpoint, open_checkpoint
from locum.ledger.errors import MalformedArtefact
from locum.ledger.merkle import HASH_SIZE, HashReader, inclusion_proof, leaf_hash, verify_inclusion
from locum.ledger.note import VerifierKey

_HEADER = "c2sp.org/tlog-proof@v1"


class Receipt(msgspec.Struct, frozen=True):
    """An index, its audit path and the signed checkpoint that it leads to."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The receipt's one textual form."""
        lines = [_HEADER, f"index {self.index}"]
        lines += [base64.b64encode(one).decode() for one in self.hashes]
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """Read a receipt.

        Raises:
            MalformedArtefact: not one, or not in canonical form.
        """
        head, _, note = data.partition(b"\n\n")
        try:
            header, index, *hashes = head.decode().split("\n")
            number = int(index.removeprefix("index "))
            decoded = tuple(base64.b64decode(one, validate=True) for one in hashes)
        except ValueError:
            raise _malformed() from None
        receipt = cls(number, decoded, note)
        odd = number < 0 or len(decoded) > 63 or any(len(one) != HASH_SIZE for one in decoded)
        if header != _HEADER or odd or receipt.encode() != data:
            raise _malformed()
        return receipt


def make_receipt(index: int, size: int, read: HashReader, checkpoint: bytes) -> Receipt:
    """The receipt of entry `index` under the signed checkpoint of a tree of `size`."""
    return Receipt(index, inclusion_proof(index, size, read), checkpoint)


def verify_receipt(receipt: Receipt, entry: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Check that `entry` is in the ledger that one of `keys` signed.

    Returns:
        The checkpoint.

    Raises:
        ProofInvalid, MalformedArtefact: it is not shown.
    """
    checkpoint = open_checkpoint(receipt.checkpoint, keys)
    verify_inclusion(
        leaf_hash(entry), receipt.index, checkpoint.size, receipt.hashes, checkpoint.root
    )
    return checkpoint


def _malformed() -> MalformedArtefact:
    return MalformedArtefact("This is not a receipt.", "See C2SP tlog-proof.")
