"""Checkpoints (C2SP tlog-checkpoint): origin, size, root; signed as a note. No extension lines."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

import msgspec

from locum.ledger.errors import Fork, MalformedArtefact, ProofInvalid
from locum.ledger.merkle import HASH_SIZE, LARGEST_SIZE
from locum.ledger.note import ED25519, Signer, VerifierKey, open_note

_AFTER_A_RESTORE = (
    "restore a newer one, or go on without what is lost: stop Locum, and run `locum ledger "
    "accept-restore`."
)


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head."""

    origin: str
    size: int
    root: bytes

    def encode(self) -> bytes:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()

    @classmethod
    def parse(cls, text: bytes) -> Checkpoint:
        """Read a checkpoint's text in its one canonical form.

        Raises:
            MalformedArtefact: anything else, extension lines included.
        """
        try:
            origin, size, root, rest = text.decode().split("\n")
            parsed = cls(origin, int(size), base64.b64decode(root, validate=True))
        except ValueError:
            raise _malformed() from None
        fits = 0 <= parsed.size <= LARGEST_SIZE and len(parsed.root) == HASH_SIZE
        if rest or not origin or not fits or parsed.encode() != text:
            raise _malformed()
        return parsed


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed note of a checkpoint."""
    text = checkpoint.encode()
    return text + b"\n" + signer.sign(text)


def open_checkpoint(note: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint of a note that its own log signed.

    Args:
        keys: the log's key, whose name is the origin, and any witnesses'. A witness's word alone
            is not enough; one that is known and false is too much.

    Raises:
        MalformedArtefact, ProofInvalid: as `open_note`, or not a checkpoint of that log.
    """
    checkpoint = Checkpoint.parse(open_note(note, keys))
    logs = [key for key in keys if key.kind == ED25519 and key.name == checkpoint.origin]
    if not logs:
        raise ProofInvalid(
            f"The checkpoint is of {checkpoint.origin}, and no key given is that log's.",
            "Compare the verifier key.",
        )
    if len(keys) > len(logs):
        open_note(note, logs)
    return checkpoint


def may_sign(
    last: Checkpoint | None, size: int, root: bytes, root_at: Callable[[int], bytes]
) -> None:
    """Allow a tree to be signed only if it extends the one last signed.

    Args:
        last: the checkpoint signed last, from the place apart from the database.
        root_at: the root of the tree's first so many leaves.

    Raises:
        Fork: it does not; a restored or altered database would fork the log.
    """
    if last is None:
        return
    if size < last.size:
        raise Fork(
            f"The ledger has {size} entries and {last.size} were signed.",
            f"The database is older than what was signed: {_AFTER_A_RESTORE}",
        )
    if root_at(last.size) != last.root or (size == last.size and root != last.root):
        raise Fork(
            f"The first {last.size} entries are not those that were signed.",
            "The database was altered: run `locum ledger verify` and restore a backup. If it is a "
            f"restored backup: {_AFTER_A_RESTORE}",
        )


def _malformed() -> MalformedArtefact:
    return MalformedArtefact("This is not a checkpoint.", "See C2SP tlog-checkpoint.")
