"""As much of a store as the built-in vault uses: sealed rows with compare-and-set."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from locum.model.refusal import Conflict
from locum.store.records import Sealed

T = TypeVar("T")


class SealedStore:
    """Acts at once, on a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Sealed] = {}

    def sealed(self, name: str) -> Sealed | None:
        return self.rows.get(name)

    def seal(self, sealed: Sealed) -> None:
        was = self.rows.get(sealed.name)
        if (0 if was is None else was.version) != sealed.version - 1:
            raise Conflict("The version is another by now.", "Look again.")
        self.rows[sealed.name] = sealed

    def act(self, function: Callable[[Any], T]) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(function(self))
        except Conflict as error:
            done.set_exception(error)
        return done

    def look(self, function: Callable[[Any], T]) -> T:
        return function(self)

    def sole(self, name: str, function: Callable[[Any], T]) -> T | None:
        return function(self)

    def ready(self) -> None:
        pass

    def close(self) -> None:
        pass
