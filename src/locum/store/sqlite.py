"""The SQLite engine: one writer thread whose acts share commits (WAL, `synchronous=FULL`).

Acts that wait while a commit is being made durable go into the next one together; one that fails
is undone alone. WAL checkpoints run on a connection and in a thread of their own, so that no
commit waits for one. After an error of the disk the writer opens the file anew before it goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import apsw

from locum.model.refusal import StorageError, Unconfirmed
from locum.store.acts import Act, Waiting, closed, stuck, taken
from locum.store.sql import SqlTransaction

T = TypeVar("T")
SHARED = 512
_CHECKPOINT_EVERY = 0.5
WAL_LIMIT = 64 * 1024 * 1024
"""Bytes from which the log is begun anew between two commits, though acts keep coming."""

_PAGE = 4_096
_LEFT_OVER = 512  # frames
_BUSY = 1_500
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA busy_timeout = {_BUSY}",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA cache_size = -65536",
    "PRAGMA foreign_keys = ON",
)


class _Engine:
    """Statements on one apsw connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.cursor().execute
        self._executemany = connection.executemany
        self._texts: dict[str, str] = {}

    def run(self, statement: str, *values: Any) -> list[Any]:
        text = self._texts.get(statement)
        if text is None:
            text = statement.replace("{lock}", "").replace("{skip}", "")
            self._texts[statement] = text
        return list(self._execute(text, values))

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        for _ in self._executemany(statement, rows):
            pass


class SqliteStore:
    """A store in one SQLite file; see `store.port` for what it promises.

    Args:
        path: the file; a second process that wants to write it is refused.
        seal_key: the key of the seals on entries that are not integrated yet.
        now: the clock.
        vfs: the SQLite file layer to use, `None` for the system's.
        wal_limit: the size of the log, in bytes, that is too much.
    """

    def __init__(
        self,
        path: Path,
        seal_key: bytes,
        now: Callable[[], datetime],
        vfs: str | None = None,
        wal_limit: int = WAL_LIMIT,
    ) -> None:
        self._path, self._seal_key, self._now, self._vfs = path, seal_key, now, vfs
        self._wal_limit, self._wal_is_long = wal_limit, threading.Event()
        self._look_at_wal = threading.Event()
        self._lock_file = self._only_writer()
        self._readers: deque[tuple[apsw.Connection, _Engine]] = deque()
        self._soles: dict[str, threading.Lock] = {}
        self._waiting = Waiting()
        self._open: list[apsw.Connection] = []
        self._writer_connection = self._connect()
        self._stop = threading.Event()
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)
        self._checkpointer = threading.Thread(target=self._checkpoint, name="wal", daemon=True)
        self._writer.start()
        self._checkpointer.start()

    def act(self, function: Callable[[SqlTransaction], T]) -> Future[T]:
        """Run a writing act in a shared commit."""
        return self._waiting.add(function)

    def look(self, function: Callable[[SqlTransaction], T]) -> T:
        """Run a reading function on a snapshot."""
        if self._waiting.closed:
            raise closed()
        try:
            connection, engine = self._reader()
            connection.execute("BEGIN")
            try:
                return function(self._transaction(engine))
            finally:
                connection.execute("ROLLBACK")
                self._readers.append((connection, engine))
        except apsw.Error as error:
            raise unrecorded(error) from None

    def sole(self, name: str, function: Callable[[SqlTransaction], T]) -> T | None:
        """Run an act alone under `name`; there is one process, so a lock in it is enough."""
        lock = self._soles.setdefault(name, threading.Lock())
        if not lock.acquire(blocking=False):
            return None
        try:
            return self.act(function).result()
        finally:
            lock.release()

    def ready(self) -> None:
        """Raise where an act would be refused."""
        if self._waiting.stuck:
            raise stuck()
        self.act(lambda transaction: transaction.heartbeat(self._now())).result()

    def close(self) -> None:
        """Finish what waits and close the file."""
        if self._waiting.closed:
            return
        self._waiting.close()
        self._writer.join(timeout=10)
        self._stop.set()
        self._look_at_wal.set()
        self._checkpointer.join(timeout=10)
        for connection in self._open:
            # What was acknowledged is durable already; a failing disk does not hold up the end.
            with contextlib.suppress(apsw.Error):
                connection.close()
        self._lock_file.close()

    def _only_writer(self) -> Any:
        lock = self._path.with_name(self._path.name + ".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise StorageError(
                f"Another process is writing {self._path.name}.",
                "Stop it first, or use PostgreSQL for more than one process.",
            ) from None
        return lock

    def _connect(self, *, readonly: bool = False) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE
        connection = apsw.Connection(
            str(self._path), flags=flags, vfs=self._vfs, statementcachesize=200
        )
        for pragma in _PRAGMAS[2 if readonly else 0 :]:
            connection.execute(pragma)
        if not readonly:
            connection.set_wal_hook(self._committed)
        self._open.append(connection)
        return connection

    def _reader(self) -> tuple[apsw.Connection, _Engine]:
        try:
            return self._readers.pop()
        except IndexError:
            connection = self._connect(readonly=True)
            return connection, _Engine(connection)

    def _write(self) -> None:
        engine: _Engine | None = _Engine(self._writer_connection)
        while acts := self._take():
            try:
                if engine is None:
                    self._writer_connection = self._connect()
                    # What could not be made durable may have left the system's cache: no later
                    # commit may stand behind it in the log, so the log is emptied first.
                    self._writer_connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                    engine = _Engine(self._writer_connection)
                if self._wal_is_long.is_set():
                    self._begin_log_anew()
                self._commit_together(engine, acts)
            except (apsw.Error, Unconfirmed) as error:
                self._drop()
                engine = None
                for act in acts:
                    act.fail(unrecorded(error) if isinstance(error, apsw.Error) else error)
            self._waiting.moved()

    def _take(self) -> list[Act]:
        while True:
            acts = self._waiting.take(SHARED)
            if acts or self._waiting.closed:
                return acts

    def _commit_together(self, engine: _Engine, acts: list[Act]) -> None:
        """Commit acts together. Savepoints cost, and acts seldom fail: so first without."""
        connection = self._writer_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [act.function(self._transaction(engine)) for act in acts]
        except Exception as error:
            if isinstance(error, apsw.Error) and not isinstance(error, apsw.ConstraintError):
                raise
            connection.execute("ROLLBACK")
            self._commit_each_apart(engine, acts)
            return
        _commit(connection)
        for act, result in zip(acts, results, strict=True):
            act.resolve(result)

    def _commit_each_apart(self, engine: _Engine, acts: list[Act]) -> None:
        connection = self._writer_connection
        connection.execute("BEGIN IMMEDIATE")
        outcomes: list[tuple[Act, Any, BaseException | None]] = []
        for act in acts:
            connection.execute("SAVEPOINT act")
            try:
                outcomes.append((act, act.function(self._transaction(engine)), None))
            except apsw.ConstraintError:
                connection.execute("ROLLBACK TO act")
                outcomes.append((act, None, taken()))
            except apsw.Error:
                raise
            except Exception as error:
                connection.execute("ROLLBACK TO act")
                outcomes.append((act, None, error))
            connection.execute("RELEASE act")
        _commit(connection)
        for act, result, failure in outcomes:
            if failure is None:
                act.resolve(result)
            else:
                act.fail(failure)

    def _transaction(self, engine: _Engine) -> SqlTransaction:
        return SqlTransaction(engine, self._seal_key, self._now())

    def _drop(self) -> None:
        """Let go of a connection that failed: what it cached may not be what is on the disk."""
        connection = self._writer_connection
        if connection in self._open:
            self._open.remove(connection)
        # The failing disk may fail in these too, and the writer must outlive that.
        with contextlib.suppress(apsw.Error):
            if not connection.get_autocommit():
                connection.execute("ROLLBACK")
        with contextlib.suppress(apsw.Error):
            connection.close(force=True)

    def _begin_log_anew(self) -> None:
        """Let the next commit write from the log's start again.

        Most of the log is in the file already, so this is short; while somebody reads from the
        log it cannot be done, and is tried again.
        """
        connection = self._writer_connection
        connection.set_busy_timeout(0)
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            self._wal_is_long.clear()
        except apsw.BusyError:
            return
        finally:
            connection.set_busy_timeout(_BUSY)

    def _checkpoint(self) -> None:
        connection: apsw.Connection | None = None
        while not self._stop.is_set():
            self._look_at_wal.wait(_CHECKPOINT_EVERY)
            self._look_at_wal.clear()
            try:
                connection = connection or self._connect()
                frames, done = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                # What came meanwhile is copied here too, so that little is left to the writer.
                while self._is_long(frames) and frames - done > _LEFT_OVER:
                    left = frames - done
                    frames, done = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                    if frames - done >= left:
                        break
            except apsw.Error:
                continue
            if self._is_long(frames):
                self._wal_is_long.set()

    def _is_long(self, frames: int) -> bool:
        return frames * _PAGE > self._wal_limit

    def _committed(self, _connection: apsw.Connection, _name: str, frames: int) -> int:
        if self._is_long(frames):
            self._look_at_wal.set()
        return apsw.SQLITE_OK


def _commit(connection: apsw.Connection) -> None:
    """Commit; where the disk fails in it, the record may be on the disk all the same."""
    try:
        connection.execute("COMMIT")
    except apsw.IOError:
        raise Unconfirmed(
            "The disk failed while the record was made durable.",
            "Look at the disk of the data folder and at the system's log. Look whether it happened "
            "before trying again; use the same Idempotency-Key.",
        ) from None


def unrecorded(error: Exception) -> StorageError:
    """The refusal where SQLite could not keep or read what was asked."""
    kind = type(error).__name__.removesuffix("Error")
    remedy = {
        "Full": "Free space on the disk of the data folder; Locum goes on by itself.",
        "IO": "The disk of the data folder fails: look at the system's log.",
        "Busy": "Another program holds the database: stop it.",
    }
    return StorageError(
        f"Nothing was recorded: SQLite answers {kind}.",
        remedy.get(kind, "Look at the disk and the rights of the data folder."),
    )
