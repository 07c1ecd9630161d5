"""What was revoked, as it happens: one look for everybody who listens.

A listener first gets everything that is revoked and has not expired, then each revocation once.
The store is looked at only while somebody listens. A revocation that commits late, on another
replica, is found by looking a little back each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from locum.service.wiring import Locum
from locum.store.records import CertificateMark

BACK = timedelta(seconds=10)


class Revocation(msgspec.Struct, frozen=True):
    """One revoked certificate; serial and fingerprint (SHA-256) in hexadecimal."""

    serial: str
    fingerprint: str
    at: datetime


class RevocationFeed:
    """Revocations of one process, in the order in which it saw them.

    Args:
        locum: whose store is looked at.
    """

    def __init__(self, locum: Locum) -> None:
        self._locum = locum
        self._mark: CertificateMark | None = None
        self._told: dict[str, datetime] = {}

    def standing(self) -> tuple[Revocation, ...]:
        """Everything that is revoked and has not expired."""
        now = self._locum.clock()
        return self._read(now, None)

    def news(self) -> tuple[Revocation, ...]:
        """What was revoked since the last call; the first call tells what stands."""
        now, before = self._locum.clock(), self._mark
        mark = self._locum.store.look(lambda transaction: transaction.revocation_mark(now))
        if mark == before:
            return ()
        found = tuple(
            one for one in self._read(now, _since(before, mark)) if one.serial not in self._told
        )
        self._mark = mark
        latest = mark.latest or now
        self._told = {serial: at for serial, at in self._told.items() if at > latest - 2 * BACK} | {
            one.serial: one.at for one in found
        }
        return found

    def _read(self, now: datetime, since: datetime | None) -> tuple[Revocation, ...]:
        rows = self._locum.store.look(
            lambda transaction: transaction.revoked_certificates(now, since=since)
        )
        return tuple(Revocation(serial, print_, at) for serial, print_, at, _ in rows)


def _since(before: CertificateMark | None, mark: CertificateMark) -> datetime | None:
    """From when on to read; everything where the newest is no newer, as after a clock was set."""
    if before is None or before.latest is None or mark.latest is None:
        return None
    return before.latest - BACK if mark.latest > before.latest else None
