"""A problem in an estate file: where, what, which law, and what to do."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from locum.model.refusal import MalformedInput

Severity = Literal["error", "warning", "note"]


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a file; lines and columns count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at one place.

    Args:
        rule: a stable id of `locum.estate.rules`, e.g. `unknown-key`, `law-2`.
        subject: the identity or path that it concerns, empty where none.
        field: the field within the subject, dotted.
        fact: what is wrong; it names no line, so that it stays the same when lines move.
        related: another place that belongs to it, e.g. the first of two that are the same.
        chain: the shortest way in which it comes about, a step each.
        about: what it rests on, where that is not the subject, e.g. a mailbox.
        checked: the remedy was tried on the graph, and the problem was gone.
        reach: how many identities it concerns.
    """

    position: Position
    rule: str
    subject: str
    field: str
    fact: str
    remedy: str
    severity: Severity = "error"
    clauses: tuple[str, ...] = ()
    related: Position | None = None
    chain: tuple[str, ...] = ()
    about: str = ""
    checked: bool = False
    reach: int = 1

    @property
    def fingerprint(self) -> str:
        """The same for the same problem wherever it moves in its file."""
        return fingerprint_of(self.rule, self.subject, self.field, self.about or self.fact)


def fingerprint_of(rule: str, subject: str, field: str, known: str) -> str:
    """The fingerprint of a problem.

    Args:
        known: what it rests on, or else its fact.
    """
    words = "\n".join((rule, subject, field, known))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class EstateError(MalformedInput):
    """An estate that cannot be used; carries every problem found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            f"{first.position}: {first.fact}{more}", "See all of it: `locum check ESTATE`."
        )
        self.problems = problems
