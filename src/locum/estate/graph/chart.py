"""Chart an inventory: the graph of who and what gives whom a way in, with the ways in columns.

Whoever takes a root has what rests on it, except for the factors that the root is not: a device
gives its passkey together with a finger or a PIN. Whoever depends on the way needs all its roots.
Approvals are needed and add no strength, because an approver can be talked round (law 1 asks what
the requester presents). Proofing is never compared between two identities.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.asking import askers, requester
from locum.estate.graph.columns import OPENS, TAKES, Graph, Kind, Why
from locum.estate.graph.drawing import NOWHERE, Drawing
from locum.estate.graph.lattice import NO_WAY, PROOFED, kinds_word, word_of, word_of_method
from locum.estate.graph.ways import (
    ACTIVE,
    CHECKS_UNSAID,
    LIVES_LONG,
    NO_APPROVALS,
    PROBED,
    REVIEWABLE,
    SIGNS_IN_ELSEWHERE,
    WIDER,
    Ways,
    minutes,
)
from locum.estate.inventory import Holder, Inventory, Role, Root, Way
from locum.estate.named_once import refuse_twice_named
from locum.estate.problem import Position
from locum.model.estate import Kind as HolderKind
from locum.model.methods import CATALOGUE, FactorKind, method
from locum.model.strength import Binding, Phishing, Proofing

LOCUM = "locum:authority"
METHODS = [*sorted(CATALOGUE), ""]
"""The methods by number; the last stands for all that nobody knows."""
LONG_LIVED = frozenset({"api-key", "password", "ssh-key", "vaulted-secret"})
"""Secrets that work until somebody ends them (NHI7)."""
_DEVICE = word_of(
    (FactorKind.HELD,), Phishing.PHISHING_RESISTANT, Binding.ATTESTED_HARDWARE, Proofing.IAL3
)
_PHONE_NUMBER = word_of((FactorKind.HELD,), proofing=Proofing.IAL3)
_TAKEN_AS_IT_IS = {Kind.DEVICE: _DEVICE, Kind.PHONE_NUMBER: _PHONE_NUMBER}
_INSTANTS = ("created", "ends", "last_used", "last_drilled", "last_reviewed", "waived")


class Chart(msgspec.Struct, frozen=True):
    """An estate's graph with its ways and its names.

    Args:
        names: by vertex.
        places: by vertex: where it is defined, or first mentioned.
        unknown: uint8[V], nothing defines it.
        person: uint8[V], 1 for a human identity.
        privileged: uint8[V], 1 for an identity that may change others.
        notes: by row of a way, what is wider about it.
    """

    graph: Graph
    ways: Ways
    names: Sequence[str]
    places: Sequence[Position]
    unknown: NDArray[np.uint8]
    person: NDArray[np.uint8]
    privileged: NDArray[np.uint8]
    notes: Mapping[int, str] = {}

    def rows_at(self, vertices: NDArray[np.int32]) -> NDArray[np.int32]:
        """The rows, in order, of the ways whose identity is among these vertices.

        Args:
            vertices: in order.
        """
        of_ways = vertices[self.graph.kind[vertices] == Kind.WAY]
        rows = np.searchsorted(self.ways.vertex, of_ways)
        there = np.isin(self.ways.identity[rows], vertices)
        found: NDArray[np.int32] = rows[there].astype(np.int32)
        return found

    def vertex_of(self, name: str) -> int | None:
        """The vertex of a name; `None` where there is none."""
        try:
            return self.names.index(name)
        except ValueError:
            return None


def chart(inventory: Inventory) -> Chart:
    """Draw what an inventory says.

    Raises:
        EstateError: two identities, or two ways in, have one name.
    """
    refuse_twice_named(inventory)
    drawing = Drawing()
    drawing.define(LOCUM, place=NOWHERE)
    holders = {one.name: one for one in inventory.holders}
    for one in inventory.holders:
        drawing.define(one.name, place=one.place, kind=Kind.IDENTITY)
    by_vertex = {drawing.mention(one.name): one for one in inventory.holders}
    for root in inventory.roots:
        _root(drawing, root)
    primaries = {one.identity: one for one in inventory.ways if one.role is Role.PRIMARY}
    asked = [_way(drawing, one, holders, primaries) for one in inventory.ways]
    order = sorted(
        range(len(asked)), key=lambda at: drawing.mention(vertex_name(inventory.ways[at]))
    )
    said = tuple(inventory.ways[at] for at in order)
    for one in inventory.holders:
        if one.acts_for:
            agent, principal = drawing.mention(one.name), drawing.mention(one.acts_for)
            drawing.arc(agent, [principal], Why.ACTS_FOR, PROOFED, use=TAKES)
    ways = _columns(drawing, said, holders, [asked[at] for at in order])
    drawn = drawing.finish()
    privileged = np.zeros(drawn.graph.vertices, np.uint8)
    person = np.zeros(drawn.graph.vertices, np.uint8)
    for vertex, one in by_vertex.items():
        privileged[vertex], person[vertex] = one.privileged, one.kind is HolderKind.HUMAN
    notes = {row: one.wider for row, one in enumerate(said) if one.wider}
    return Chart(
        drawn.graph, ways, drawn.names, drawn.places, drawn.unknown, person, privileged, notes
    )


def vertex_name(way: Way) -> str:
    """The name of a way's vertex."""
    return f"{way.name}#primary" if way.role is Role.PRIMARY else way.name


def _root(drawing: Drawing, root: Root) -> None:
    kind = Kind[root.name.partition(":")[0].replace("-", "_").upper()]
    said = root.ways or root.administered_by is not None
    if not said and kind not in _TAKEN_AS_IT_IS and kind is not Kind.LOCUM:
        drawing.mention(root.name, root.place)
        return
    # A way besides makes nothing stronger: a device is still stolen, a number still moved.
    vertex = drawing.define(root.name, _TAKEN_AS_IT_IS.get(kind, NO_WAY), root.place)
    for at, way in enumerate(root.ways, 1):
        parts = [
            _authenticator(
                drawing, f"{root.name}#{at}/{name}", name, Proofing.IAL3, way.rests_on, root.place
            )
            for name in way.methods
        ]
        if parts:
            drawing.arc(vertex, parts, Why.OPENED_BY, PROOFED)
        else:
            for name in way.rests_on:
                drawing.arc(vertex, [drawing.mention(name)], Why.OPENED_BY, PROOFED, use=TAKES)
            resting = [drawing.mention(one) for one in way.rests_on]
            drawing.arc(vertex, resting, Why.OPENED_BY, PROOFED, use=OPENS)
    rule = root.administered_by
    if rule is not None and rule.people:
        people = [drawing.mention(one) for one in sorted(rule.people)]
        if rule.need > 1:
            drawing.arc(vertex, people, Why.ADMINISTERED_BY, PROOFED, rule.need, TAKES)
        else:
            for one in people:
                drawing.arc(vertex, [one], Why.ADMINISTERED_BY, PROOFED, use=TAKES)


def _authenticator(
    drawing: Drawing,
    name: str,
    of: str,
    carried: Proofing,
    resting: Iterable[str],
    place: Position,
) -> int:
    """An authenticator with what it rests on."""
    entry = method(of)
    vertex = drawing.define(name, word_of_method(entry, carried), place, Kind.AUTHENTICATOR)
    roots = [drawing.mention(one, place) for one in resting]
    for one, root in zip(resting, roots, strict=True):
        # A device gives what is held, and what is written down on it; a PIN or a finger that opens
        # what is held is asked all the same.
        opened = one.startswith("device:") and FactorKind.HELD in entry.kinds
        left = entry.kinds - {FactorKind.HELD} if opened else frozenset()
        why = Why.KEPT_ON if one.startswith("device:") else Why.RESTS_ON
        drawing.arc(vertex, [root], why, kinds_word(left) | PROOFED, use=TAKES)
    if roots:
        drawing.arc(vertex, roots, Why.RESTS_ON, use=OPENS)
    return vertex


def _way(drawing: Drawing, way: Way, holders: dict[str, Holder], primaries: dict[str, Way]) -> int:
    """Draw one way; returns the vertex of evidence and approvals together, or -1."""
    holder = holders.get(way.identity)
    carried = Proofing.NONE if holder is None else holder.proofing
    name = vertex_name(way)
    identity = drawing.mention(way.identity)
    vertex = drawing.define(name, place=way.place, kind=Kind.WAY)
    if way.active:
        drawing.arc(identity, [vertex], Why.IS_WAY)
    body = [
        _authenticator(drawing, f"{name}/{one}", one, carried, way.rests_on.get(one, ()), way.place)
        for one in way.methods
    ]
    if way.by_primary and way.identity in primaries:
        of = primaries[way.identity]
        body += [drawing.mention(f"{vertex_name(of)}/{one}") for one in of.methods]
        carried = max([carried, *(method(one).proofing or carried for one in of.methods)])
    asked = -1
    if way.approvals is not None:
        asked = drawing.define(f"{name}#asked", kind=Kind.QUORUM)
        for people in askers(drawing, name, way):
            drawing.arc(asked, [*body, *people], Why.PRESENTS)
        body = [asked]
    elif way.requesters is not None and (
        way.by_key or way.requesters.people != frozenset({way.identity})
    ):
        body.append(requester(drawing, name, way.requesters.people, way))
    issuers = [drawing.mention(one, way.place) for one in way.rests_on.get("", ())]
    for one in issuers:
        drawing.arc(vertex, [one], Why.ISSUED_BY, PROOFED, use=TAKES)
    drawing.arc(vertex, body, Why.PRESENTS, use=TAKES)
    handed = _handed_out_by(drawing, way)
    issuers += handed
    if way.role is Role.DECLARED:
        issuers.append(drawing.mention(LOCUM))
    drawing.arc(vertex, [*body, *issuers], Why.PRESENTS, use=OPENS)
    if way.yields:
        word = word_of_method(method(way.yields), carried)
        credential = drawing.define(f"{name}/{way.yields}", word, way.place, Kind.AUTHENTICATOR)
        drawing.arc(vertex, [credential], Why.YIELDS, use=TAKES)
        drawing.arc(credential, [drawing.mention(LOCUM)], Why.ISSUED_BY, PROOFED, use=TAKES)
        for root in handed:
            drawing.arc(credential, [root], Why.RESTS_ON, PROOFED, use=TAKES)
    return asked


def _handed_out_by(drawing: Drawing, way: Way) -> list[int]:
    """What a method that nobody presents rests on: the vault of a secret that Locum hands out."""
    return [
        drawing.mention(one, way.place)
        for of, roots in way.rests_on.items()
        if of and of not in way.methods
        for one in roots
    ]


def _columns(
    drawing: Drawing, ways: tuple[Way, ...], holders: dict[str, Holder], asked: list[int]
) -> Ways:
    row_of = {one.identity: at for at, one in enumerate(ways) if one.role is Role.PRIMARY}
    number = {name: at for at, name in enumerate(METHODS)}
    none: frozenset[str] = frozenset()

    def lacking(way: Way) -> int:
        holder = holders.get(way.identity)
        return min(255, len((none if holder is None else holder.demands) - way.demands))

    return Ways(
        np.array([drawing.mention(vertex_name(one)) for one in ways], np.int32),
        np.array([drawing.mention(one.identity) for one in ways], np.int32),
        np.array([row_of.get(one.identity, -1) for one in ways], np.int32),
        np.array([one.role.value for one in ways], np.uint8),
        np.array([number.get(_named(one), number[""]) for one in ways], np.uint8),
        np.array([_flags(one, holders.get(one.identity)) for one in ways], np.uint8),
        np.array([lacking(one) for one in ways], np.uint8),
        np.array([spare_approvers(one) for one in ways], np.int8),
        np.array(asked, np.int32),
        np.array([bool(one.owner) for one in ways], np.uint8),
        np.array([one.review_within // timedelta(minutes=1) for one in ways], np.int32),
        np.array([one.drill_days or 0 for one in ways], np.int16),
        *(
            np.array([minutes(getattr(one, field)) for one in ways], np.int32)
            for field in _INSTANTS
        ),
    )


def _named(way: Way) -> str:
    """The method that a way is known by."""
    return way.yields or (way.methods or ("",))[0]


def spare_approvers(way: Way) -> int:
    """How many approvers are left beyond those needed, whoever of the requesters asks."""
    if way.approvals is None:
        return NO_APPROVALS
    people = way.approvals.people
    asking = way.requesters.people if way.requesters else frozenset({way.identity})
    eligible = min((len(people - {one}) for one in asking), default=len(people))
    return max(-127, min(NO_APPROVALS - 1, eligible - way.approvals.need))


def _flags(way: Way, holder: Holder | None) -> int:
    methods = (*way.methods, way.yields)
    machine = holder is None or holder.kind is not HolderKind.HUMAN
    standing = way.role is Role.FOUND or (way.role is Role.PRIMARY and machine)
    # People are not made to change passwords periodically (SP 800-63B-4 §3.1.1.2).
    lasting = LONG_LIVED if machine else LONG_LIVED - {"password"}
    return (
        ACTIVE * way.active
        | CHECKS_UNSAID * way.demands_unsaid
        | WIDER * bool(way.wider)
        | REVIEWABLE * way.reviewable
        | PROBED * way.probed
        | LIVES_LONG * (standing and bool(lasting.intersection(methods)))
        | SIGNS_IN_ELSEWHERE
        * any(one.startswith("identity-provider:") for one in way.rests_on.get("", ()))
    )
