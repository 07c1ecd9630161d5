"""BloodHound's OpenGraph: who has control of whom, as ways in beside primaries that it knows not.

An edge says that whoever has its start can take its end. Users and machines become identities;
groups and all else become what those rest on. A node that an edge names and nothing defines is
unknown, and worth the least.

Source: BloodHound, OpenGraph schema (`graph.nodes`, `graph.edges`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.listing import records
from locum.estate.importing.naming import name_of, root_of
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
    for _, node in records(export, _WHAT, _NODES):
        key = node.needed("id", "A node")
        if key in shown:
            node.refuse("duplicate-key", f"`{key[:40]}` stands twice.")
        shown[key] = node.inside("properties").text("name") or key
        by_name.setdefault(shown[key], []).append(key)
        kind = _kind(node)
        if kind is not None:
            proofing = Proofing.NONE if kind is Kind.HUMAN else Proofing.DECLARED_OWNER
            holders[key] = Holder(name_of(key), kind, node.place, proofing=proofing)
    gives: dict[str, list[str]] = {}
    mentioned: dict[str, Position] = {}
    ways = {
        one.name: Way(one.name, one.name, Role.PRIMARY, ("unknown",), one.place)
        for one in holders.values()
    }
    for _, edge in records(export, _WHAT, _EDGES):
        kind_of_edge = edge.needed("kind", "An edge")
        start, end = (_end(edge, which, by_name) for which in ("start", "end"))
        if kind_of_edge in without:
            continue
        if end in holders:
            identity = holders[end].name
            # An edge that stands twice says the same twice.
            name = f"{identity}/{name_of(f'{kind_of_edge}-{start}')}"
            ways[name] = Way(
                name, identity, Role.FOUND, ("federation",), edge.place, {"": (_root(start),)}
            )
        else:
            gives.setdefault(end, []).append(start)
            mentioned.setdefault(end, edge.place)
    roots = [
        Root(_root(key), one.place, administered_by=Quorum(one.name, frozenset({one.name})))
        for key, one in holders.items()
    ]
    roots += [_thing(key, starts, holders, mentioned[key]) for key, starts in gives.items()]
    return Inventory(tuple(holders.values()), tuple(ways.values()), tuple(roots))


def _kind(node: Fields) -> Kind | None:
    for one in node.texts("kinds"):
        word = one.lower()
        if word.endswith(_PEOPLE):
            return Kind.HUMAN
        if word.endswith(_MACHINES):
            return Kind.WORKLOAD
    return None


def _end(edge: Fields, which: str, by_name: dict[str, list[str]]) -> str:
    """The id of the node at one end of an edge."""
    end = edge.inside(which)
    value, by = end.needed("value", "An edge"), end.text("match_by")
    if by not in ("", "id", "name"):
        edge.refuse("value", f"An edge matches by `{by[:40]}`.", "Let it match by id.")
    if by != "name":
        return value
    named = by_name.get(value, [value])
    if len(named) > 1:
        edge.refuse(
            "value", f"An edge names `{value[:40]}`, and {len(named)} nodes are called so.",
            "Let it match by id.",
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
