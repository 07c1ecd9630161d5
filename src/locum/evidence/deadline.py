"""Bound in time what cannot be bounded by itself: the look-up of a name, a server that drips."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Give what `work` gives, or its error.

    Raises:
        TimeoutError: it was not done in time. Its thread is left to end by itself, so `work` must
            be something that ends.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True, name="within").start()
    return outcome.result(timeout=seconds)
