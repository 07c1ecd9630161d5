"""Nothing of an export stands twice: one of two of a name would be lost, and nobody would know."""

from __future__ import annotations

from typing import TypeVar

from locum.estate.inventory import Inventory, Role
from locum.estate.problem import EstateError, Position, Problem

K = TypeVar("K")


def told_apart(inventory: Inventory) -> Inventory:
    """The same inventory, where each identity and each way in has a name of its own.

    Raises:
        EstateError: two have one name; with both places.
    """
    identities: dict[str, Position] = {}
    for holder in inventory.holders:
        _once(identities, holder.name, holder.name, holder.place, "identity")
    ways: dict[tuple[str, bool], Position] = {}
    for way in inventory.ways:
        primary = way.role is Role.PRIMARY
        what = "primary of" if primary else "way in"
        _once(ways, (way.name, primary), way.name, way.place, what)
    return inventory


def _once(seen: dict[K, Position], key: K, name: str, place: Position, what: str) -> None:
    first = seen.get(key)
    if first is None:
        seen[key] = place
        return
    problem = Problem(
        place, "duplicate-key", name, "", f"The {what} `{name}` stands twice, first in {first}.",
        "Export it anew, or remove one of the two.", related=first,
    )  # fmt: skip
    raise EstateError((problem,))
