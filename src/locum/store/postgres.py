"""The PostgreSQL engine: any number of replicas, a few writers each.

Every act is one transaction that locks the rows it reads to change; the server makes waiting
commits durable together. An act that lost a serialisation race or a deadlock is run again. A
replica whose clock is more than a second off the database's refuses to act.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from locum.model.refusal import StorageError, Unconfirmed
from locum.store.acts import Act, Waiting, closed, stuck
from locum.store.sql import SqlTransaction
from locum.store.sqlite import taken

T = TypeVar("T")
_ATTEMPTS = 5
_CLOCK_EVERY = 1.0
_SKEW = 1.0
_OPTIONS = "-c statement_timeout=1800 -c lock_timeout=1500 -c synchronous_commit=on"


class _Engine:
    """Statements on one psycopg connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        self._texts: dict[str, Any] = {}

    def run(self, statement: str, *values: Any) -> list[Any]:
        text = self._texts.get(statement)
        if text is None:
            text = self._text(statement)
        self._cursor.execute(text, values)
        return self._cursor.fetchall() if self._cursor.description is not None else []

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._cursor.executemany(self._text(statement), rows)

    def _text(self, statement: str) -> Any:
        text = (
            statement.replace("{lock}", " FOR UPDATE")
            .replace("{skip}", " FOR UPDATE SKIP LOCKED")
            .replace("?", "%s")
        )
        self._texts[statement] = text
        return text


class _ReadingEngine(_Engine):
    """The same without row locks, which a read-only transaction may not take."""

    def _text(self, statement: str) -> Any:
        return super()._text(statement.replace("{lock}", "").replace("{skip}", ""))


class _Link:
    """One connection, opened when needed and again after it broke."""

    def __init__(self, dsn: str, now: Callable[[], datetime], *, reading: bool) -> None:
        self._dsn, self._now, self._reading = dsn, now, reading
        self._connection: psycopg.Connection[Any] | None = None
        self._engine: _Engine | None = None
        self._clock_checked = 0.0

    def open(self) -> tuple[psycopg.Connection[Any], _Engine]:
        """The connection and its engine, with the clock compared at most a second ago."""
        if self._connection is None or self._connection.closed or self._engine is None:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=2,
                options=_OPTIONS,
                tcp_user_timeout=2000,
            )
            self._engine = (_ReadingEngine if self._reading else _Engine)(self._connection)
            self._clock_checked = 0.0
        if not self._reading and time.monotonic() - self._clock_checked > _CLOCK_EVERY:
            self._compare_clocks(self._engine)
            self._clock_checked = time.monotonic()
        return self._connection, self._engine

    def drop(self) -> None:
        """Close the connection; the next use opens another."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _compare_clocks(self, engine: _Engine) -> None:
        theirs = engine.run("SELECT clock_timestamp()")[0][0]
        skew = (self._now() - theirs).total_seconds()
        if abs(skew) > _SKEW:
            raise StorageError(
                f"This machine's clock is {skew:+.1f} s off the database's.",
                "Set the clocks right (NTP); this replica refuses to act until then.",
            )


class PostgresStore:
    """A store in a PostgreSQL database; see `store.port` for what it promises.

    Args:
        dsn: a libpq connection string or URL.
        seal_key: the key of the seals on entries that are not integrated yet.
        now: the clock.
        writers: how many acts may be in flight at once.
    """

    def __init__(
        self, dsn: str, seal_key: bytes, now: Callable[[], datetime], writers: int = 4
    ) -> None:
        self._dsn, self._seal_key, self._now = dsn, seal_key, now
        self._waiting = Waiting()
        self._links: list[_Link] = []
        self._idle: deque[_Link] = deque()
        self._threads = [
            threading.Thread(target=self._write, name=f"writer-{number}", daemon=True)
            for number in range(writers)
        ]
        for thread in self._threads:
            thread.start()

    def act(self, function: Callable[[SqlTransaction], T]) -> Future[T]:
        """Run a writing act in its own transaction."""
        return self._waiting.add(function)

    def look(self, function: Callable[[SqlTransaction], T]) -> T:
        """Run a reading function on a snapshot."""
        if self._waiting.closed:
            raise closed()
        try:
            link = self._idle.pop()
        except IndexError:
            link = self._link(reading=True)
        try:
            connection, engine = link.open()
            with connection.transaction():
                engine.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                return function(SqlTransaction(engine, self._seal_key, self._now()))
        except psycopg.Error as error:
            link.drop()
            raise unreachable(error) from None
        finally:
            self._idle.append(link)

    def sole(self, name: str, function: Callable[[SqlTransaction], T]) -> T | None:
        """Run an act while holding an advisory lock against every replica."""
        done: T | None = self._waiting.add(_Sole(name, function)).result()
        return done

    def ready(self) -> None:
        """Raise where an act would be refused."""
        if self._waiting.stuck:
            raise stuck()
        self.act(lambda transaction: transaction.heartbeat(self._now())).result()

    def close(self) -> None:
        """Finish what waits and close the connections."""
        if self._waiting.closed:
            return
        self._waiting.close()
        for thread in self._threads:
            thread.join(timeout=10)
        for link in self._links:
            link.drop()

    def _link(self, *, reading: bool) -> _Link:
        link = _Link(self._dsn, self._now, reading=reading)
        self._links.append(link)
        return link

    def _write(self) -> None:
        link = self._link(reading=False)
        while True:
            acts = self._waiting.take(1)
            if not acts and self._waiting.closed:
                return
            for act in acts:
                self._do(link, act)
                self._waiting.moved()

    def _do(self, link: _Link, act: Act) -> None:
        for _ in range(_ATTEMPTS):
            try:
                act.resolve(self._once(link, act))
                return
            except (errors.SerializationFailure, errors.DeadlockDetected):
                continue
            except errors.UniqueViolation:
                act.fail(taken())
                return
            except psycopg.Error as error:
                link.drop()
                act.fail(unreachable(error))
                return
            except Exception as error:
                act.fail(error)
                return
        act.fail(taken())

    def _once(self, link: _Link, act: Act) -> Any:
        connection, engine = link.open()
        committing = False
        try:
            engine.run("BEGIN")
            if isinstance(act.function, _Sole) and not engine.run(
                "SELECT 1 WHERE pg_try_advisory_xact_lock(hashtextextended(?, 0))",
                act.function.name,
            ):
                engine.run("ROLLBACK")
                return None
            result = act.function(SqlTransaction(engine, self._seal_key, self._now()))
            committing = True
            engine.run("COMMIT")
        except (errors.SerializationFailure, errors.DeadlockDetected):
            if not committing:
                engine.run("ROLLBACK")
            raise
        except psycopg.OperationalError:
            if committing:
                link.drop()
                raise Unconfirmed(
                    "The database went away while it was committing.",
                    "Look whether it happened before trying again; use the same Idempotency-Key.",
                ) from None
            raise
        except BaseException:
            if not connection.closed and not committing:
                engine.run("ROLLBACK")
            raise
        return result


class _Sole:
    """An act that runs only while it holds the advisory lock of its name."""

    def __init__(self, name: str, function: Callable[[SqlTransaction], Any]) -> None:
        self.name, self._function = name, function

    def __call__(self, transaction: SqlTransaction) -> Any:
        return self._function(transaction)


def unreachable(error: psycopg.Error) -> StorageError:
    """The refusal where PostgreSQL could not keep or read what was asked."""
    return StorageError(
        f"Nothing was recorded: PostgreSQL answers {type(error).__name__}.",
        "Look at the database; Locum goes on by itself when it answers.",
    )
