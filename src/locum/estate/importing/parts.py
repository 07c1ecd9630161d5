"""An export of many identities, so many of them at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from locum.estate.inventory import Holder, Inventory, Quorum, Root, Way
from locum.estate.problem import Position

MOST = 10_000
"""Identities of one part."""


Entry = tuple[Holder, Iterable[Way], Iterable[Root]]
"""An identity with its ways in, and roots that they bring along."""


def in_parts(
    entries: Iterable[Entry], provider: str = "", place: Position | None = None
) -> Generator[Inventory, None, None]:
    """Inventories of so many identities each.

    Args:
        entries: whoever joins the parts sees whether an identity stands in two.
        provider: the root that whoever is privileged can do with as they like, which the last part
            tells; none where it is empty.
        place: where the provider is said.
    """
    holders: list[Holder] = []
    ways: list[Way] = []
    roots: dict[str, Root] = {}
    administrators: set[str] = set()
    for holder, its, brought in entries:
        if len(holders) == MOST:
            yield Inventory(tuple(holders), tuple(ways), tuple(roots.values()))
            holders, ways, roots = [], [], {}
        holders.append(holder)
        ways += its
        for root in brought:
            roots.setdefault(root.name, root)
        if holder.privileged:
            administrators.add(holder.name)
    if place is not None:
        rule = Quorum("administrators", frozenset(administrators))
        roots[provider] = Root(provider, place, administered_by=rule)
    yield Inventory(tuple(holders), tuple(ways), tuple(roots.values()))
