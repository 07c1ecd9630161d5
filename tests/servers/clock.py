"""A clock that goes only when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


class SteppedClock:
    """Gives aware UTC; `clock` and `clock.now` are both what code that asks for a clock takes."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """Give the instant at which the clock stands."""
        return self._now

    __call__ = now

    def advance(self, by: timedelta) -> datetime:
        """Move the clock, backwards too, and give the new instant."""
        self._now += by
        return self._now
