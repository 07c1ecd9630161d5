"""One connection to PostgreSQL whose every question is bounded on this side too.

The server ends a statement that takes too long (`statement_timeout`), and the kernel a connection
whose bytes are not acknowledged (`tcp_user_timeout`). Neither sees a server that takes what is said
and never answers; so whoever waits longer than the bound for one answer has the socket shut under
them by a watch, which ends the wait.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from locum.model.refusal import StorageError

ANSWERS_WITHIN = 4.0
"""Seconds to wait for one answer: beyond the server's own bound, so that its word comes first."""

_MANY = 10
"""How much longer many rows may take than one statement."""

_CLOCK_EVERY = 1.0
_SKEW = 1.0
_OPTIONS = "-c statement_timeout=1800 -c lock_timeout=1500 -c synchronous_commit=on"
_NEVER = float("inf")


class Engine:
    """Statements on one psycopg connection.

    Args:
        within: seconds to wait for one answer.
        reading: without row locks, which a read-only transaction may not take.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], within: float, *, reading: bool
    ) -> None:
        self._lock, self._skip = ("", "") if reading else (" FOR UPDATE", " SKIP LOCKED")
        self._cursor = connection.cursor(binary=True)
        self._texts: dict[str, Any] = {}
        self._within = within
        self.answer_by = _NEVER

    def run(self, statement: str, *values: Any) -> list[Any]:
        text = self._texts.get(statement)
        if text is None:
            text = self._text(statement)
        self.answer_by = time.monotonic() + self._within
        try:
            self._cursor.execute(text, values)
            return self._cursor.fetchall() if self._cursor.description is not None else []
        finally:
            self.answer_by = _NEVER

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self.answer_by = time.monotonic() + self._within * _MANY
        try:
            self._cursor.executemany(self._text(statement), rows)
        finally:
            self.answer_by = _NEVER

    def _text(self, statement: str) -> Any:
        text = (
            statement.replace("{lock}", self._lock)
            .replace("{skip}", self._lock + self._skip)
            .replace("?", "%s")
        )
        self._texts[statement] = text
        return text


class Link:
    """One connection, opened when needed and again after it broke."""

    def __init__(
        self, dsn: str, now: Callable[[], datetime], *, reading: bool, within: float
    ) -> None:
        self._dsn, self._now, self._reading, self._within = dsn, now, reading, within
        self._connection: psycopg.Connection[Any] | None = None
        self._engine: Engine | None = None
        self._clock_checked = 0.0
        self._closing = threading.Lock()

    def open(self) -> tuple[psycopg.Connection[Any], Engine]:
        """The connection and its engine, with the clock compared at most a second ago."""
        if self._connection is None or self._connection.closed or self._engine is None:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=2,
                options=_OPTIONS,
                tcp_user_timeout=2000,
            )
            self._engine = Engine(self._connection, self._within, reading=self._reading)
            self._clock_checked = 0.0
        if not self._reading and time.monotonic() - self._clock_checked > _CLOCK_EVERY:
            self._compare_clocks(self._engine)
            self._clock_checked = time.monotonic()
        return self._connection, self._engine

    def drop(self) -> None:
        """Close the connection; the next use opens another."""
        with self._closing:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def shut_if_late(self) -> None:
        """End a wait that took too long, from another thread; the waiter sees a broken line."""
        engine = self._engine
        if engine is None or time.monotonic() <= engine.answer_by:
            return
        with self._closing, contextlib.suppress(OSError, psycopg.Error):
            if self._connection is not None and not self._connection.closed:
                with socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)

    def _compare_clocks(self, engine: Engine) -> None:
        theirs = engine.run("SELECT clock_timestamp()")[0][0]
        skew = (self._now() - theirs).total_seconds()
        if abs(skew) > _SKEW:
            raise StorageError(
                f"This machine's clock is {skew:+.1f} s off the database's.",
                "Set the clocks right (NTP); this replica refuses to act until then.",
            )
