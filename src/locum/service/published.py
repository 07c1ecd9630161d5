"""The published ledger: what the store holds, up to the size of its signed checkpoint."""

from __future__ import annotations

from locum.ledger.errors import LedgerError
from locum.ledger.merkle import HASH_SIZE
from locum.ledger.tiles import WIDTH, TileName, encode_bundle
from locum.store.port import Store


class StoreSource:
    """Read the ledger out of a store; nothing beyond the newest checkpoint is shown."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint. Raises `LedgerError` before the first."""
        note = self.store.look(lambda transaction: transaction.checkpoint())
        if note is None:
            raise LedgerError("Nothing is signed yet.", "Try again in a second.")
        return note

    def tile(self, name: TileName) -> bytes | None:
        """A tile or a bundle of any checkpoint up to the newest."""
        size = published_size(self.store.look(lambda transaction: transaction.checkpoint()))
        first = name.number * WIDTH
        if first + name.width > size >> (8 * (name.level or 0)):
            return None
        if name.level is None:
            entries = self.store.look(lambda transaction: transaction.entries(first, name.width))
            return encode_bundle(entries) if len(entries) == name.width else None
        level = name.level
        data = self.store.look(lambda transaction: transaction.tile(level, name.number))
        return None if data is None else data[: name.width * HASH_SIZE]


def published_size(note: bytes | None) -> int:
    """The size that a checkpoint of our own says."""
    return 0 if note is None else int(note.split(b"\n", 2)[1])
