"""Acts that wait for a writer: their order, their time limit, and their one outcome."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from queue import Empty, SimpleQueue
from typing import Any

from locum.model.refusal import Conflict, StorageError, Unconfirmed
from locum.store.sql import SqlTransaction

LIMIT = 2.0
"""Seconds after which an act without a durable commit is answered `Unconfirmed`."""

_BEAT = 0.1


class Act:
    """One function waiting for a transaction, and the future of its outcome."""

    __slots__ = ("function", "future", "since")

    def __init__(self, function: Callable[[SqlTransaction], Any]) -> None:
        self.function = function
        self.future: Future[Any] = Future()
        self.since = time.monotonic()

    def resolve(self, result: Any) -> None:
        """Give the result, unless the time limit was faster."""
        try:
            self.future.set_result(result)
        except InvalidStateError:
            return

    def fail(self, error: BaseException) -> None:
        """Give the error, unless the time limit was faster."""
        try:
            self.future.set_exception(error)
        except InvalidStateError:
            return


class Waiting:
    """The queue between callers and writers, with a watch over its time limit."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Act | None] = SimpleQueue()
        self._watched: deque[Act] = deque()
        self._closed = threading.Event()
        self._stuck, self._moves, self._turn = False, 0, threading.Lock()
        self._watch = threading.Thread(target=self._watch_over, name="acts", daemon=True)
        self._watch.start()

    def add(self, function: Callable[[SqlTransaction], Any]) -> Future[Any]:
        """Queue an act; refused at once while the writers are stuck or closed."""
        act = Act(function)
        if self._closed.is_set():
            act.fail(closed())
        elif self._stuck:
            act.fail(stuck())
        else:
            self._watched.append(act)
            self._queue.put(act)
        return act.future

    def take(self, most: int) -> list[Act]:
        """Wait for acts and give all that wait, at most `most`; empty when closed and done."""
        first = self._queue.get()
        self.moved()
        acts = [] if first is None else [first]
        while acts and len(acts) < most:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                self._queue.put(None)
                break
            acts.append(following)
        if not acts:
            self._queue.put(None)
        return [act for act in acts if not act.future.done()]

    @property
    def stuck(self) -> bool:
        """Whether the oldest act has waited beyond the limit."""
        return self._stuck

    @property
    def closed(self) -> bool:
        """Whether no more acts are taken."""
        return self._closed.is_set()

    def close(self) -> None:
        """Take no more acts; what waits is still done."""
        self._closed.set()
        self._queue.put(None)

    def _watch_over(self) -> None:
        while not self._closed.wait(_BEAT):
            moves = self._moves
            late = self._give_up_the_late()
            with self._turn:
                # Who got on meanwhile is not stuck; saying so now would stay, with nobody waiting.
                if late and moves == self._moves:
                    self._stuck = True

    def _give_up_the_late(self) -> bool:
        now, late = time.monotonic(), False
        while self._watched and (
            self._watched[0].future.done() or now - self._watched[0].since > LIMIT
        ):
            act = self._watched.popleft()
            if not act.future.done():
                late = True
                act.fail(
                    Unconfirmed(
                        "The record was not confirmed within 2 s.",
                        "Look whether it happened before trying again; use the same "
                        "Idempotency-Key.",
                    )
                )
        return late

    def moved(self) -> None:
        """Note that a writer got on, so that it is not stuck (any more)."""
        with self._turn:
            self._moves += 1
            self._stuck = False


def stuck() -> StorageError:
    """The refusal while the disk or the database does not answer."""
    return StorageError(
        "Nothing can be recorded: the store does not answer.",
        "Nothing happened. Look at the disk or the database; Locum goes on by itself.",
    )


def closed() -> StorageError:
    """The refusal of a store that was closed."""
    return StorageError("The store is closed.", "Start Locum again.")


def taken() -> Conflict:
    """The loser's answer where a unique claim is held already."""
    return Conflict(
        "Another grant of the same target is open, or its credential is not yet seen dead.",
        "Look at `locum status`, and try again when it is settled.",
    )
