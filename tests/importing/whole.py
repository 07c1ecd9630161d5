"""The parts of an import, put together."""

from __future__ import annotations

from collections.abc import Iterable

from locum.estate.inventory import Holder, Inventory, Role, Root, Way
from locum.estate.named_once import refuse_twice_named


def whole(parts: Iterable[Inventory]) -> Inventory:
    """The only part, in which nothing has the name of another, as whoever charts it asks."""
    [inventory] = parts
    refuse_twice_named(inventory)
    return inventory


def together(inventories: Iterable[Inventory]) -> Inventory:
    """Put inventories together; an identity or a way that stands in two keeps its first."""
    holders: dict[str, Holder] = {}
    ways: dict[tuple[str, Role], Way] = {}
    roots: list[Root] = []
    for part in inventories:
        for holder in part.holders:
            holders.setdefault(holder.name, holder)
        for way in part.ways:
            ways.setdefault((way.name, way.role), way)
        roots += part.roots
    return Inventory(tuple(holders.values()), tuple(ways.values()), tuple(roots))
