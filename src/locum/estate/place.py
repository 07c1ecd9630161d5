"""Places in a document: where they stand, and what they concern."""

from __future__ import annotations

from typing import Literal

from locum.estate.document import Document, Field
from locum.estate.problem import Position, Problem


def position_of(document: Document, place: Field) -> Position:
    """The position of a place, or of the nearest thing around it."""
    while place not in document.positions:
        place = place[:-1]
    return document.positions[place]


def subject_and_field(place: Field) -> tuple[str, str]:
    """Split a place into what it concerns (`identity/path`) and the dotted field within."""
    parts = [str(part) for part in place]
    if parts[:1] == ["identities"] and len(parts) > 1:
        if len(parts) > 3 and parts[2] == "fallbacks":
            return f"{parts[1]}/{parts[3]}", ".".join(parts[4:])
        return parts[1], ".".join(parts[2:])
    return "", ".".join(parts)


def problem_at(
    document: Document,
    place: Field,
    rule: str,
    fact: str,
    remedy: str,
    severity: Literal["error", "warning", "note"] = "error",
    related: Field | None = None,
) -> Problem:
    """A problem of one place, with its position looked up."""
    subject, field = subject_and_field(place)
    return Problem(
        position_of(document, place),
        rule,
        subject,
        field,
        fact,
        remedy,
        severity,
        related=None if related is None else position_of(document, related),
    )
