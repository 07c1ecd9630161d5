"""A clock that is set forward or back while Locum runs is said, in the log and on the record.

Nothing is decided by it: ends are compared with the clock at each act, and what was ended stays
ended. But a reader of the ledger who sees times go back must find out why. Design §10.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from locum.ledger.entry import Entry
from locum.service.record import record
from locum.store.port import Store

_log = structlog.get_logger("locum.clock")
SMALLEST_STEP = 5.0
"""Seconds. Less than this is what a clock that is kept right may do."""


class ClockWatch:
    """Compare the clock with one that nobody sets.

    Args:
        store: where a step is recorded.
        clock: gives aware UTC; the one that may be set.
        steady: seconds since some moment, which only go forward.
    """

    def __init__(
        self, store: Store, clock: Callable[[], datetime], steady: Callable[[], float]
    ) -> None:
        self._store, self._clock, self._steady = store, clock, steady
        self._seen = clock(), steady()

    def look(self) -> None:
        """Record and log a step since the last look.

        Raises:
            StorageError: it could not be recorded; the next look finds it again.
        """
        now, steady = self._clock(), self._steady()
        step = (now - self._seen[0]).total_seconds() - (steady - self._seen[1])
        if abs(step) >= SMALLEST_STEP:
            entry = Entry("clock.stepped", now, facts={"seconds": round(step)})
            self._store.act(lambda transaction: record(transaction, entry)).result()
            _log.warning(
                "clock.stepped",
                seconds=round(step),
                remedy="Look at NTP on this machine; times on the record before this are as they "
                "were read.",
            )
        self._seen = now, steady
