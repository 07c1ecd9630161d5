"""BloodHound's OpenGraph: who has control of whom, as ways in beside primaries that it knows not.

An edge says that whoever has its start can take its end. Users and machines become identities;
groups and all else become what those rest on. A node that an edge names and nothing defines is
unknown, and worth the least.

Source: BloodHound, OpenGraph schema (`graph.nodes`, `graph.edges`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from locum.estate.importing.export import Export
from locum.estate.importing.json_text import field, listed
from locum.estate.importing.listing import objects
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import Holder, Inventory, Quorum, Role, Root, RootWay, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_NODES, _EDGES = ("graph", "nodes"), ("graph", "edges")
_WHAT = "this is no OpenGraph file"
_PEOPLE = ("user", "person", "human")
_MACHINES = ("computer", "serviceprincipal", "serviceaccount", "application", "app", "vm", "host")


def read_opengraph(export: Export, without: Collection[str] = ()) -> Inventory:
    """The inventory of a graph.

    Args:
        without: kinds of edges that give no control and are left out.

    Raises:
        EstateError: it is no such graph; nothing of it is used.
    """
    holders: dict[str, Holder] = {}
    shown: dict[str, str] = {}
    by_name: dict[str, list[str]] = {}
    for _, place, node in objects(export, _WHAT, _NODES):
        key = field(node, "id")
        if not key or key in shown:
            what = f"`{key[:40]}` stands twice" if key else "A node has no `id`"
            refuse(
                place.file, "duplicate-key" if key else "missing-key", f"{what}.",
                "Export it anew.", place.line, place.column,
            )  # fmt: skip
        shown[key] = field(node.get("properties"), "name") or key
        by_name.setdefault(shown[key], []).append(key)
        kind = _kind(node)
        if kind is not None:
            proofing = Proofing.NONE if kind is Kind.HUMAN else Proofing.DECLARED_OWNER
            holders[key] = Holder(name_of(key), kind, place, proofing=proofing)
    gives: dict[str, list[str]] = {}
    mentioned: dict[str, Position] = {}
    ways = [
        Way(one.name, one.name, Role.PRIMARY, ("unknown",), one.place) for one in holders.values()
    ]
    for at, (_, place, edge) in enumerate(objects(export, _WHAT, _EDGES), 1):
        kind_of_edge = field(edge, "kind")
        start, end = (_end(edge, which, by_name, place, at) for which in ("start", "end"))
        if kind_of_edge in without:
            continue
        if end in holders:
            name = holders[end].name
            ways.append(
                Way(
                    f"{name}/{name_of(kind_of_edge)}-{at}", name, Role.FOUND, ("federation",),
                    place, {"": (_root(start),)},
                )
            )  # fmt: skip
        else:
            gives.setdefault(end, []).append(start)
            mentioned.setdefault(end, place)
    roots = [
        Root(_root(key), one.place, administered_by=Quorum(one.name, frozenset({one.name})))
        for key, one in holders.items()
    ]
    roots += [_thing(key, starts, holders, mentioned[key]) for key, starts in gives.items()]
    return Inventory(tuple(holders.values()), tuple(ways), tuple(roots))


def _kind(node: Any) -> Kind | None:
    for one in listed(node, "kinds"):
        word = str(one).lower()
        if word.endswith(_PEOPLE):
            return Kind.HUMAN
        if word.endswith(_MACHINES):
            return Kind.WORKLOAD
    return None


def _end(edge: Any, which: str, by_name: dict[str, list[str]], place: Position, at: int) -> str:
    """The id of the node at one end of an edge."""
    end = edge.get(which) if isinstance(edge, dict) else None
    value = field(end, "value")
    if not value or not field(edge, "kind"):
        refuse(
            place.file, "missing-key", f"Edge {at} has no `kind` or no `{which}`.",
            "Export it anew.", place.line, place.column,
        )  # fmt: skip
    if field(end, "match_by") != "name":
        return value
    named = by_name.get(value, [value])
    if len(named) > 1:
        refuse(
            place.file, "value",
            f"Edge {at} names `{value[:40]}`, and {len(named)} nodes are called so.",
            "Let it match by id.", place.line, place.column,
        )  # fmt: skip
    return named[0]


def _root(key: str) -> str:
    return root_of("custodian", name_of(key))


def _thing(key: str, starts: list[str], holders: dict[str, Holder], place: Position) -> Root:
    """A group or the like: whoever has one of these has it."""
    people = frozenset(holders[one].name for one in starts if one in holders)
    others = tuple(RootWay(rests_on=(one,)) for one in _others(starts, holders))
    return Root(
        _root(key), place, others,
        Quorum(name_of(key), people) if people else None,
    )  # fmt: skip


def _others(starts: list[str], holders: dict[str, Holder]) -> Iterator[str]:
    for one in dict.fromkeys(starts):
        if one not in holders:
            yield _root(one)
