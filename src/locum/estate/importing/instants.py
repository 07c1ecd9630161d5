"""Dates and times as exports write them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from locum.estate.importing.refusing import refuse


def instant(value: str, key: str, file: str, line: int) -> datetime:
    """An ISO 8601 date or time, in UTC where it names no zone.

    Raises:
        EstateError: it is none.
    """
    try:
        return _parsed(value)
    except ValueError:
        refuse(
            file, "value", f"`{key}` is no date: {value[:40]}.", "E.g. 2026-03-31, or never.", line
        )


@lru_cache(maxsize=1 << 14)
def _parsed(value: str) -> datetime:
    found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
