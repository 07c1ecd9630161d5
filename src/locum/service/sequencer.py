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
from locum.ledger.errors import Fork
from locum.ledger.merkle import leaf_hash
from locum.ledger.note import Signer
from locum.ledger.tiles import grow, tree_root
from locum.store.port import Store, Transaction

AT_ONCE = 8_192
CheckSeal = Callable[[int, bytes, bytes], None]
"""Raises where a pending entry is not what was committed: (pending id, entry, its seal)."""


class Sequencer(msgspec.Struct, frozen=True):
    """What integration works with.

    Args:
        follows: the last checkpoint of the log that this one follows (`ledger.succession`), which
            the first signature replaces in the anchor; `None` for a first log.
    """

    store: Store
    signer: Signer
    anchor: Anchor
    check_seal: CheckSeal
    seen: Callable[[Entry], None]
    follows: bytes | None = None

    def integrate(self) -> int | None:
        """Integrate what waits, sign the head and publish it.

        Returns:
            How many entries were integrated; `None` where another replica is at it.

        Raises:
            Fork: the database is not an extension of what was signed; nothing is signed.
            StorageError, LedgerError: the store or the anchor cannot be written; try again.
        """
        done = self.append()
        if done is not None:
            self._sign()
        return done

    def append(self) -> int | None:
        """Give what waits its places in the tree, and sign nothing.

        Returns:
            How many entries were integrated; `None` where another replica is at it.

        Raises:
            StorageError: the store cannot be written; try again.
        """
        done = self.store.sole("sequencer", self._append)
        if done is None:
            return None
        for entry in done:
            self.seen(decode(entry))
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
            if last is not None and last != self.follows:
                self._check_name(last)
                signed = open_checkpoint(last, (self.signer.verifier,))
                may_sign(signed, size, root, lambda at: tree_root(at, transaction.tile))
            return size, root, last, transaction.checkpoint()

        size, root, last, published = self.store.look(head)
        own = None if last == self.follows else last
        if own is not None and published == own and _size(own) == size:
            return
        if own is not None and _size(own) == size:
            note = own
        else:
            note = sign_checkpoint(Checkpoint(self.signer.verifier.name, size, root), self.signer)
            self.anchor.swap(last, note)
        self.store.act(lambda transaction: transaction.publish(size, note)).result()

    def _check_name(self, last: bytes) -> None:
        """Where the anchor is of another log of ours, say so in an operator's words."""
        name, own = last.split(b"\n", 1)[0].decode("utf-8", "replace"), self.signer.verifier.name
        if name != own and name.partition("/ledger")[0] == own.partition("/ledger")[0]:
            raise Fork(
                f"The anchor is of {name}, and this database is of {own}.",
                "It is a backup from before a restore was accepted: restore a newer one, or stop "
                "Locum and run `locum ledger accept-restore`.",
            )


def _size(note: bytes) -> int:
    return int(note.split(b"\n", 2)[1])
