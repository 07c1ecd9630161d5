"""The PostgreSQL engine: any number of replicas, a few writers each.

Every act is one transaction that locks the rows it reads to change; the server makes waiting
commits durable together. An act that lost a serialisation race or a deadlock is run again. A
replica whose clock is more than a second off the database's refuses to act. Nobody waits for ever
for a server that does not answer (`store.postgres_link`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from locum.model.refusal import StorageError, Unconfirmed
from locum.store.acts import Act, Waiting, closed, stuck, taken
from locum.store.postgres_link import ANSWERS_WITHIN, Link
from locum.store.sql import SqlTransaction

T = TypeVar("T")
_PAUSE = 0.02
_ATTEMPTS = 5


class PostgresStore:
    """A store in a PostgreSQL database; see `store.port` for what it promises.

    Args:
        dsn: a libpq connection string or URL.
        seal_key: the key of the seals on entries that are not integrated yet.
        now: the clock.
        writers: how many acts may be in flight at once.
        answers_within: seconds after which a server that has not answered is given up.
    """

    def __init__(
        self,
        dsn: str,
        seal_key: bytes,
        now: Callable[[], datetime],
        writers: int = 4,
        answers_within: float = ANSWERS_WITHIN,
    ) -> None:
        self._dsn, self._seal_key, self._now = dsn, seal_key, now
        self._waiting, self._answers_within = Waiting(), answers_within
        self._links: list[Link] = []
        self._idle: deque[Link] = deque()
        self._threads = [
            threading.Thread(target=self._write, name=f"writer-{number}", daemon=True)
            for number in range(writers)
        ]
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, name="answers", daemon=True)
        for thread in (*self._threads, self._watch):
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
            _, engine = link.open()
            engine.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                return function(SqlTransaction(engine, self._seal_key, self._now()))
            finally:
                engine.run("ROLLBACK")
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
        self._done.set()
        for link in self._links:
            link.drop()

    def _link(self, *, reading: bool) -> Link:
        link = Link(self._dsn, self._now, reading=reading, within=self._answers_within)
        self._links.append(link)
        return link

    def _watch_over(self) -> None:
        while not self._done.wait(self._answers_within / 4):
            for link in tuple(self._links):
                link.shut_if_late()

    def _write(self) -> None:
        link = self._link(reading=False)
        while True:
            acts = self._waiting.take(1)
            if not acts and self._waiting.closed:
                return
            for act in acts:
                self._do(link, act)
                self._waiting.moved()

    def _do(self, link: Link, act: Act) -> None:
        for _ in range(_ATTEMPTS):
            try:
                act.resolve(self._once(link, act))
                return
            except (errors.SerializationFailure, errors.DeadlockDetected):
                # Who won the deadlock is only waking up: an attempt at once would meet it again,
                # and the second detection comes after the statement's own time limit.
                self._done.wait(_PAUSE)
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

    def _once(self, link: Link, act: Act) -> Any:
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
