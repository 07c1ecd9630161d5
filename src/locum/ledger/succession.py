"""The log that follows another: where entries are lost, a new log begins under a new name.

A log whose newest entries are lost must never sign again: what it signed next would fork it. So it
ends, and the next generation begins, with a name and so a verifier key of its own. It begins with
the entries that are left, and its record holds the last checkpoint of the log that it follows.
"""

from __future__ import annotations

import msgspec

from locum.ledger.errors import ProofInvalid


class Succession(msgspec.Struct, frozen=True, tag="locum.succession/1", tag_field="kind"):
    """That a log follows another.

    Args:
        generation: of the log that begins; the first log is 1 and follows nothing.
        follows: the last signed checkpoint of the log that ended, a note.
    """

    generation: int
    follows: bytes


def log_name(first: str, generation: int) -> str:
    """The name of a generation's log.

    Args:
        first: the name of the first log.
    """
    return first if generation == 1 else f"{first}/{generation}"


def generation_of(first: str, name: str) -> int:
    """The generation whose log has this name.

    Raises:
        ProofInvalid: it is no log of ours.
    """
    number = name.removeprefix(f"{first}/")
    generation = 1 if name == first else int(number) if number.isdecimal() else 0
    if generation < 1 or log_name(first, generation) != name:
        raise ProofInvalid(
            f"The anchor is of {name}, and this log is {first}.",
            "Look at `server.origin` and `anchor` in locum.toml.",
        )
    return generation
