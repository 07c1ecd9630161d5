"""An export of many people, so many of them at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from locum.estate.importing.told_apart import told_apart
from locum.estate.inventory import Holder, Inventory, Quorum, Root, Way
from locum.estate.problem import Position

MOST = 20_000
"""Identities of one part."""


def in_parts(
    people: Iterable[tuple[Holder, Iterable[Way]]], provider: str, place: Position
) -> Generator[Inventory, None, None]:
    """Inventories of so many identities each; the last tells who administers their provider.

    Args:
        people: identities with their ways in.
        provider: the root that whoever is privileged can do with as they like.

    Raises:
        EstateError: two of a part have one name; of two parts, whoever joins them sees that.
    """
    holders: list[Holder] = []
    ways: list[Way] = []
    administrators: set[str] = set()
    for holder, its in people:
        if len(holders) == MOST:
            yield told_apart(Inventory(tuple(holders), tuple(ways)))
            holders, ways = [], []
        holders.append(holder)
        ways += its
        if holder.privileged:
            administrators.add(holder.name)
    root = Root(
        provider, place, administered_by=Quorum("administrators", frozenset(administrators))
    )
    yield told_apart(Inventory(tuple(holders), tuple(ways), (root,)))
