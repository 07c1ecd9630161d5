"""What a server for notices received, and waiting for it without guessing how long."""

from __future__ import annotations

from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")
PATIENCE = 30.0


class Inbox(Generic[Item]):
    """A list that another thread fills, and a number of deliveries still to be refused."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._refusals = 0
        self._changed = Condition()

    def refuse(self, times: int) -> None:
        """Refuse that many of the next deliveries."""
        with self._changed:
            self._refusals = times

    def deliver(self, item: Item) -> bool:
        """Keep an item; false if this delivery is to be refused, and the item is not kept."""
        with self._changed:
            if self._refusals:
                self._refusals -= 1
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    @property
    def items(self) -> tuple[Item, ...]:
        """What has been kept so far, oldest first."""
        with self._changed:
            return tuple(self._items)

    def wait_for(self, count: int) -> tuple[Item, ...]:
        """Give what has been kept, as soon as there are `count` of it.

        Raises:
            AssertionError: they did not come.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._items) >= count, PATIENCE):
                raise AssertionError(f"{len(self._items)} of {count} came")
            return tuple(self._items)
