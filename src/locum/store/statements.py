"""What the verbs of the store are written against: one connection, in one transaction.

`?` marks a parameter; `{lock}` stands where PostgreSQL locks the rows that it reads. Every claim is
one statement that says through `RETURNING` whether it was won.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from locum.model.refusal import Conflict


class Engine(Protocol):
    """What a database connection does for the verbs."""

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement and give its rows as tuples."""
        ...

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        ...


class On(Protocol):
    """The transaction that a verb runs on."""

    run: Callable[..., list[Any]]
    many: Callable[[str, Iterable[Sequence[Any]]], None]
    seal_key: bytes
    now: datetime


def taken_by_another(what: str) -> Conflict:
    """What the loser of a claim gets."""
    return Conflict(f"{what} was changed or taken by somebody else.", "Look again and try again.")
