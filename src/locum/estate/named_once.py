"""A name is one identity, or one way in: an inventory that says it twice is refused.

In the graph both would be one vertex, and what is known of one would be taken for the other's.
"""

from __future__ import annotations

from locum.estate.inventory import Inventory, Role
from locum.estate.problem import EstateError, Position, Problem

_MOST = 100
"""Problems that are listed: an export that stands in a file twice has one for each line."""


def refuse_twice_named(inventory: Inventory) -> None:
    """Refuse an inventory in which two identities, or two ways in, have one name.

    Args:
        inventory: roots may stand in it repeatedly; the weaker of what is said of one holds.

    Raises:
        EstateError: with the place of each that came second, and of the first.

    Source: ours; rule `duplicate-key` of the estate.
    """
    said = [
        *((f"identity `{one.name}`", one.name, one.place) for one in inventory.holders),
        *(
            (f"primary of `{one.identity}`", one.identity, one.place)
            if one.role is Role.PRIMARY
            else (f"way in `{one.name}`", one.name, one.place)
            for one in inventory.ways
        ),
    ]
    if len({what for what, _, _ in said}) == len(said):
        return
    first: dict[str, Position] = {}
    problems: list[Problem] = []
    for what, name, place in said:
        if what not in first:
            first[what] = place
        elif len(problems) < _MOST:
            fact = f"The {what} stands here a second time."
            remedy = "Remove or rename one of the two where they were written."
            at = first[what]
            problems.append(Problem(place, "duplicate-key", name, "", fact, remedy, related=at))
    raise EstateError(tuple(problems))
