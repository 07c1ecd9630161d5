"""What is revoked, and whether that is still known.

Rules: (1) what was revoked once stays so, until a list no longer names it and a day has passed;
(2) knowledge is as young as the last beat of the stream, or the last complete list that was
fetched; once it is older than `stale_after`, every backup is refused, because it may have been
revoked since; (3) events alone do not make it younger, since what stood before is complete only
with the first beat. Certificates of other authorities are not judged here. Source: RFC 5280 §6.3.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from locum.guard.certificate import Issuer
from locum.guard.events import Beat, Revoked
from locum.guard.revocation_list import read_list

STALE_AFTER = timedelta(seconds=10)
FORGET_AFTER = timedelta(days=1)


class Standing(Enum):
    """What is known of a backup certificate."""

    GOOD = auto()
    REVOKED = auto()
    UNKNOWN = auto()
    """Locum was not heard for too long."""


class RevokedSerials:
    """Revoked serial numbers; any thread may tell and ask.

    Args:
        issuer: Locum's issuing authority, which signs the lists.
        stale_after: how long to believe what was heard last.
    """

    def __init__(self, issuer: Issuer, *, stale_after: timedelta = STALE_AFTER) -> None:
        self.issuer = issuer
        self._stale_after = stale_after
        self._serials: dict[int, datetime] = {}
        self._heard: datetime | None = None
        self._callbacks: list[Callable[[int], None]] = []
        self._lock = threading.Lock()

    def standing(self, serial: int, now: datetime) -> Standing:
        """Tell what is known of a backup certificate now."""
        if serial in self._serials:
            return Standing.REVOKED
        return Standing.UNKNOWN if self.is_stale(now) else Standing.GOOD

    def is_revoked(self, serial: int, now: datetime) -> bool:
        """Whether a backup is refused: it was revoked, or may have been (`Standing.UNKNOWN`)."""
        return self.standing(serial, now) is not Standing.GOOD

    def is_stale(self, now: datetime) -> bool:
        """Whether Locum was not heard for too long; a clock that jumped counts as that."""
        return self._heard is None or abs(now - self._heard) >= self._stale_after

    def on_revoked(self, callback: Callable[[int], None]) -> None:
        """Have a function called with each serial that is revoked from now on.

        Args:
            callback: called in the thread that heard of it; must not wait or raise.
        """
        self._callbacks.append(callback)

    def hear(self, event: Beat | Revoked, now: datetime) -> None:
        """Take in an event of the stream."""
        if isinstance(event, Beat):
            self._heard = now
        else:
            self._add([event.serial], now)

    def hear_list(self, der: bytes, now: datetime) -> datetime:
        """Take in a complete revocation list.

        Returns:
            Until when it stands.

        Raises:
            MalformedInput: it is no complete list of this issuer; nothing changed.
            Unavailable: it does not stand now; nothing changed.
        """
        found = read_list(der, self.issuer.certificate, now)
        self._add(found.serials, now)
        with self._lock:
            self._serials = {
                serial: at
                for serial, at in self._serials.items()
                if serial in found.serials or now - at < FORGET_AFTER
            }
            self._heard = now
        return found.next_update

    def _add(self, serials: list[int] | frozenset[int], now: datetime) -> None:
        with self._lock:
            new = [serial for serial in serials if serial not in self._serials]
            self._serials.update(dict.fromkeys(new, now))
        for serial in new:
            for callback in self._callbacks:
                callback(serial)
