"""The rounds: what Locum does by itself, again and again, while it serves.

Integrate the ledger, work off the outbox, end what has reached its end, look whether primaries are
back, put a changed estate in force, say that the clock was set, delete what is past its time. Each
round stands alone: one that fails is logged and comes again, and none holds up another.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from locum.estate.loading import load_lawful
from locum.estate.problem import EstateError
from locum.ledger.entry import Entry
from locum.model.names import PathName
from locum.model.refusal import LocumError, Unavailable
from locum.service.clock_watch import ClockWatch
from locum.service.credential import revoke_elsewhere, settle, sweep
from locum.service.cutover import close_if_served
from locum.service.elapse import elapse_due, recheck, watched_paths
from locum.service.notices import SET_MAIL, mail_missing, notify, send_letter
from locum.service.observe import observe_path
from locum.service.outbox import Worker, work_off
from locum.service.record import record
from locum.service.starting import Started
from locum.service.wiring import Locum

_log = structlog.get_logger("locum.rounds")
WORKERS: dict[str, Worker] = {
    "settle": settle,
    "sweep": sweep,
    "notify": notify,
    "send": send_letter,
    "revoke": revoke_elsewhere,
    "recheck": lambda locum, _: recheck_all(locum),
}
_PRUNED = 500


class Rounds:
    """The threads of one process; every replica runs them.

    Args:
        started: the Locum to go round in.
    """

    def __init__(self, started: Started) -> None:
        self._started = started
        self._stop = threading.Event()
        locum = started.locum
        self._threads = [
            threading.Thread(target=self._go, args=(name, every, what), name=name, daemon=True)
            for name, every, what in (
                ("integrate", 0.1, started.sequencer.integrate),
                ("outbox", 0.1, lambda: work_off(locum, WORKERS)),
                ("elapse", 0.5, lambda: end_what_ended(locum)),
                ("observe", 2.0, lambda: observe_and_close(locum)),
                ("cutover", 1.0, lambda: watch_cutovers(locum)),
                ("estate", 1.0, EstateWatch(started).look),
                ("clock", 1.0, ClockWatch(locum.store, locum.clock, time.monotonic).look),
                ("prune", 20.0, lambda: prune(locum)),
            )
        ]

    def start(self) -> None:
        """Catch up with what ended, or lost its declaration, while nobody was there; go round."""
        end_what_ended(self._started.locum)
        recheck(self._started.locum)
        if missing := mail_missing(self._started.locum):
            _log.warning("mail.missing", addresses=missing, remedy=SET_MAIL)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the rounds that are under way; those that never began need no stopping."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)

    def _go(self, name: str, every: float, what: Callable[[], object]) -> None:
        while not self._stop.wait(every):
            try:
                while what() and not self._stop.is_set():
                    continue
            except LocumError as error:
                _log.warning("round.failed", round=name, error=str(error))
            except Exception as error:  # a bug in one round must not end it for good
                _log.error("round.failed", round=name, kind=type(error).__name__, exc_info=error)


def end_what_ended(locum: Locum) -> int:
    """End what has reached its end, until nothing is left to."""
    ended = 0
    while True:
        batch = locum.store.act(lambda transaction: elapse_due(locum, transaction)).result()
        if not batch:
            return ended
        ended += len(batch)


def observe_and_close(locum: Locum) -> None:
    """Look at the primaries of watched paths that are open, and close what no longer holds."""
    for path in watched_paths(locum.estate.now):
        if _has_open_grants(locum, path.name):
            with contextlib.suppress(Unavailable):
                observe_path(locum, path)
            recheck(locum, path.name)


def watch_cutovers(locum: Locum) -> int:
    """Look at the endpoints of rotations that are open; gives how many were seen cut over."""
    closed = 0
    for path in locum.estate.now.paths():
        if path.cutover.endpoint and _has_open_grants(locum, path.name):
            closed += close_if_served(locum, path)
    return closed


def _has_open_grants(locum: Locum, path: PathName) -> bool:
    found = locum.store.look(
        lambda transaction: transaction.requests(state="open", path=path, limit=1)
    )
    return bool(found.rows)


def recheck_all(locum: Locum) -> None:
    """Look at every open grant once, after a change that may close any of them."""
    recheck(locum)


def prune(locum: Locum) -> int:
    """Delete what is past its time."""
    now = locum.clock()
    return locum.store.act(lambda transaction: transaction.prune(now, _PRUNED)).result()


class EstateWatch:
    """Put a changed estate in force, whole; refuse a broken one whole and keep the old."""

    def __init__(self, started: Started) -> None:
        self._locum = started.locum
        self._source = started.folder / started.settings.estate
        self._seen = _fingerprint(self._source)

    def look(self) -> None:
        """Reload the estate if its files changed."""
        seen = _fingerprint(self._source)
        if seen != self._seen:
            self.reload()
            self._seen = seen  # not before: what could not be recorded or closed is tried again

    def reload(self) -> None:
        """Read the estate again, and put it in force if it breaks no law."""
        now = self._locum.clock()
        try:
            loaded = load_lawful(self._source, now)
        except EstateError as error:
            _log.error("estate.refused", error=str(error))
            self._record("estate.refused", now, self._locum.estate.now.digest, error.fact)
            return
        estate = loaded.estate
        if estate.digest != self._locum.estate.now.digest:
            self._record("estate.in-force", now, estate.digest, "")
            self._locum.estate.replace(loaded)
            _log.info("estate.in_force", digest=estate.digest, paths=len(estate.paths()))
        else:
            # Roots and what was found decide nothing and are not in the digest; they are explained.
            self._locum.estate.replace(loaded)
        recheck(self._locum)

    def _record(self, act: str, now: datetime, digest: str, fact: str) -> None:
        entry = Entry(act, now, subject=digest, facts={"fact": fact} if fact else {})
        self._locum.store.act(lambda transaction: record(transaction, entry)).result()


def _fingerprint(source: Path) -> tuple[tuple[str, int, int], ...]:
    files = sorted(source.glob("*.y*ml")) if source.is_dir() else [source]
    found = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((file.name, status.st_mtime_ns, status.st_size))
    return tuple(found)
