"""An import that is small enough to be one part."""

from __future__ import annotations

from collections.abc import Iterable

from locum.estate.inventory import Inventory
from locum.estate.named_once import refuse_twice_named


def whole(parts: Iterable[Inventory]) -> Inventory:
    """The only part, in which nothing has the name of another, as whoever charts it asks."""
    [inventory] = parts
    refuse_twice_named(inventory)
    return inventory
