"""Accept a restore: go on from a backup that is behind what was signed, in a new log.

The operator is shown what is lost and confirms it. One act keeps the new generation, which names
the checkpoint that it follows, and the entry that says so; the next signature then replaces that
very checkpoint in the anchor. The log that lost entries is never signed again.
"""

from __future__ import annotations

import msgspec

from locum.ledger.checkpoint import Checkpoint, may_sign, open_checkpoint
from locum.ledger.entry import Entry, commitment
from locum.ledger.errors import Fork
from locum.ledger.note import VerifierKey, parse_note
from locum.ledger.succession import Succession, generation_of, log_name
from locum.ledger.tiles import tree_root
from locum.ledger.verification import verify_log
from locum.model.refusal import MalformedInput
from locum.model.secret import Secret
from locum.service.published import StoreSource
from locum.service.record import SALT, record
from locum.service.starting import SUCCESSION, Started, first_log
from locum.store.port import Transaction


class Loss(msgspec.Struct, frozen=True):
    """What a restore lost, and what follows.

    Args:
        signed: the last signed checkpoint, from the anchor.
        note: the same as it was signed.
        kept: how many entries of the signed log are in the database for certain.
        size: how many entries the database has, those that nobody signed included.
        root: their root.
        generation: of the log that begins.
        origin: its name.
    """

    signed: Checkpoint
    note: bytes
    kept: int
    size: int
    root: bytes
    generation: int
    origin: str


def assess(started: Started) -> Loss:
    """Find out what is lost; what waits is integrated first, and nothing is signed.

    Raises:
        MalformedInput: nothing is lost.
        Tampered: what the database holds is not even what it published.
        ProofInvalid: the anchor is of another log than this Locum's.
    """
    sequencer, first = started.sequencer, first_log(started.settings)
    while sequencer.append():
        continue
    note, own = sequencer.anchor.load(), sequencer.signer.verifier
    if note is None or note == sequencer.follows:
        raise _nothing()
    origin = parse_note(note).text.decode().split("\n", 1)[0]
    generation = generation_of(first, origin)
    signed = open_checkpoint(note, (msgspec.structs.replace(own, name=origin),))
    size, root = _tree(started)
    if origin == own.name and not _forks(started, signed, size, root):
        raise _nothing()
    following = 1 + max(generation, generation_of(first, own.name))
    kept, name = _published(started, own), log_name(first, following)
    return Loss(signed, note, kept, size, root, following, name)


def accept(started: Started, loss: Loss, reason: str) -> None:
    """End the log that lost entries; the next start signs in the one that follows.

    Raises:
        Conflict: somebody else accepted it at the same time.
    """
    locum, salt = started.locum, started.locum.rng(SALT)
    follows = Succession(loss.generation, loss.note)
    sealed = started.builtin.sealing(SUCCESSION, Secret(msgspec.json.encode(follows).decode()))
    committed = commitment(salt, reason)
    entry = Entry(
        "ledger.restore-accepted",
        locum.clock(),
        actor="operator",
        subject=loss.origin,
        words=committed,
        facts={
            "follows": loss.signed.origin,
            "signed_size": loss.signed.size,
            "signed_root": loss.signed.root.hex(),
            "signed_checkpoint": loss.note.decode(),
            "kept": loss.kept,
            "size": loss.size,
            "root": loss.root.hex(),
        },
    )

    def verb(transaction: Transaction) -> None:
        transaction.seal(sealed)
        transaction.disclose(committed, salt, reason)
        record(transaction, entry)

    locum.store.act(verb).result()


def _tree(started: Started) -> tuple[int, bytes]:
    def look(transaction: Transaction) -> tuple[int, bytes]:
        size = transaction.ledger_size()
        return size, tree_root(size, transaction.tile)

    return started.locum.store.look(look)


def _forks(started: Started, signed: Checkpoint, size: int, root: bytes) -> bool:
    def look(transaction: Transaction) -> None:
        may_sign(signed, size, root, lambda at: tree_root(at, transaction.tile))

    try:
        started.locum.store.look(look)
    except Fork:
        return True
    return False


def _published(started: Started, own: VerifierKey) -> int:
    """How much the database itself published, replayed; what was altered is not accepted."""
    store = started.locum.store
    if store.look(lambda transaction: transaction.checkpoint()) is None:
        return 0
    return verify_log(StoreSource(store), (own,)).entries


def _nothing() -> MalformedInput:
    return MalformedInput(
        "Nothing is lost: the database is what was signed, or goes on from it.",
        "Start it: `locum serve`.",
    )
