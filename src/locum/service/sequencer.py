"""The sequencer: gives committed entries their places in the tree, and signs the new head.

At most one replica integrates at a time. Entries and tiles are committed first, then the anchor
apart from the database is moved by compare-and-set, then the checkpoint is published. A crash
between any two of these is mended by the next round: the tree is ahead of the checkpoint, or the
anchor holds a checkpoint that the database does not publish yet.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from locum.ledger.anchor import Anchor
from locum.ledger.checkpoint import Checkpoint, may_sign, open_checkpoint, sign_checkpoint
from locum.ledger.entry import Entry, decode
from locum.ledger.merkle import leaf_hash
from locum.ledger.note import Signer
from locum.ledger.tiles import grow, tree_root
from locum.store.port import Store, Transaction

AT_ONCE = 8_192
CheckSeal = Callable[[int, bytes, bytes], None]
"""Raises where a pending entry is not what was committed: (pending id, entry, its seal)."""


class Sequencer(msgspec.Struct, frozen=True):
    """What integration works with."""

    store: Store
    signer: Signer
    anchor: Anchor
    check_seal: CheckSeal
    seen: Callable[[Entry], None]

    def integrate(self) -> int | None:
        """Integrate what waits, sign the head and publish it.

        Returns:
            How many entries were integrated; `None` where another replica is at it.

        Raises:
            Fork: the database is not an extension of what was signed; nothing is signed.
            StorageError, LedgerError: the store or the anchor cannot be written; try again.
        """
        done = self.store.sole("sequencer", self._append)
        if done is None:
            return None
        for entry in done:
            self.seen(decode(entry))
        self._sign()
        return len(done)

    def _append(self, transaction: Transaction) -> list[bytes]:
        waiting = transaction.pending(AT_ONCE)
        if not waiting:
            return []
        for number, entry, seal in waiting:
            self.check_seal(number, entry, seal)
        size = transaction.ledger_size()
        entries = [entry for _, entry, _ in waiting]
        growth = grow(size, transaction.tile, [leaf_hash(entry) for entry in entries])
        transaction.integrate([number for number, _, _ in waiting], size, entries, growth.tiles)
        return entries

    def _sign(self) -> None:
        def head(transaction: Transaction) -> tuple[int, bytes, bytes | None, bytes | None]:
            size = transaction.ledger_size()
            last = self.anchor.load()
            root = tree_root(size, transaction.tile)
            if last is not None:
                signed = open_checkpoint(last, (self.signer.verifier,))
                may_sign(signed, size, root, lambda at: tree_root(at, transaction.tile))
            return size, root, last, transaction.checkpoint()

        size, root, last, published = self.store.look(head)
        if last is not None and published == last and _size(last) == size:
            return
        if last is not None and _size(last) == size:
            note = last
        else:
            note = sign_checkpoint(Checkpoint(self.signer.verifier.name, size, root), self.signer)
            self.anchor.swap(last, note)
        self.store.act(lambda transaction: transaction.publish(size, note)).result()


def _size(note: bytes) -> int:
    return int(note.split(b"\n", 2)[1])
