"""Refusals and errors: one small tree, each with the fact that broke it and what to do next.

Errors never log, exit or know HTTP; the faces map them once.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Law(IntEnum):
    """The seven laws, by number (design §2)."""

    NO_WEAKER = 1
    NO_WIDER = 2
    NO_LONGER = 3
    ONLY_WHEN_SHUT = 4
    NEVER_UNSEEN = 5
    NO_ONE_ALONE = 6
    SAME_CHECKS = 7

    def __str__(self) -> str:
        return f"law {int(self)} ({self.name.lower().replace('_', ' ')})"


class Breach(msgspec.Struct, frozen=True):
    """One law broken by one fact.

    Args:
        law: which.
        fact: what broke it.
        remedy: what would satisfy it, or what to do next.
        field: the declaration's field, e.g. `limits.ttl`; empty where none is at fault.
        clauses: ids of the requirements behind it, e.g. `REC-9`, `NHI4`.
    """

    law: Law
    fact: str
    remedy: str
    field: str = ""
    clauses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.law}: {self.fact} {self.remedy}"


class LocumError(Exception):
    """Anything that Locum says no with.

    Args:
        fact: what is wrong, for the person who asked; never a secret.
        remedy: what to do next.
    """

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(f"{fact} {remedy}")
        self.fact = fact
        self.remedy = remedy


class MalformedInput(LocumError):
    """The caller's input cannot be read; the caller mends it."""


class NotFound(LocumError):
    """No such thing, or nothing that this caller may see."""


class Unauthenticated(LocumError):
    """The caller did not prove who they are."""


class TransitionNotAllowed(LocumError):
    """The thing is in a state that does not allow this act."""


class Conflict(LocumError):
    """Somebody else was faster; look again and decide again."""


class StorageError(LocumError):
    """The record cannot be kept, so the act does not happen; the operator mends it."""


class Unconfirmed(StorageError):
    """The record was not confirmed in time; it may or may not have been kept."""


class Unavailable(LocumError):
    """A vault, a target or a verifier cannot be reached or refuses; nothing was opened."""


class TooMany(LocumError):
    """Throttled.

    Args:
        retry_after: seconds after which to try again.
    """

    def __init__(self, fact: str, remedy: str, retry_after: int) -> None:
        super().__init__(fact, remedy)
        self.retry_after = retry_after


class RefusedError(LocumError):
    """The laws refuse; carries every breach."""

    def __init__(self, breaches: tuple[Breach, ...]) -> None:
        super().__init__(
            "; ".join(f"{breach.law}: {breach.fact}" for breach in breaches),
            " ".join(dict.fromkeys(breach.remedy for breach in breaches)),
        )
        self.breaches = breaches
