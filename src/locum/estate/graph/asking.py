"""Draw the people of a path: who may ask, and who approves (law 6)."""

from __future__ import annotations

from locum.estate.graph.columns import OPENS, TAKES, Kind, Why
from locum.estate.graph.drawing import Drawing
from locum.estate.graph.lattice import NO_WAY, PROOFED, WEAKEST, word_of_method
from locum.estate.inventory import Way
from locum.model.methods import method
from locum.model.strength import Proofing


def askers(drawing: Drawing, name: str, way: Way) -> list[list[int]]:
    """Who asks and who approves, as alternatives; whoever asks does not count as an approver.

    So one approver more is needed where one of them asks.
    """
    assert way.approvals is not None
    approvers, need = way.approvals.people, way.approvals.need
    if way.requesters is None:
        return [[_approvals(drawing, f"{name}#approvals", approvers, need)]]
    apart, among = way.requesters.people - approvers, way.requesters.people & approvers
    found: list[list[int]] = []
    if apart or not among:
        asker = requester(drawing, name, apart, way)
        found.append([asker, _approvals(drawing, f"{name}#approvals", approvers, need)])
    if among:
        mark = "" if not found else "+"
        more = [_approvals(drawing, f"{name}#approvals{mark}", approvers, need + 1)]
        if way.by_key or among != approvers:
            more.append(requester(drawing, name, among, way, mark))
        found.append(more)
    return found


def requester(drawing: Drawing, name: str, people: frozenset[str], way: Way, mark: str = "") -> int:
    """Any one of them asks; where it is not with a key of their own, that adds no strength.

    An identity that asks for itself has its key already, so that its loss does not matter here.
    """
    base = NO_WAY if way.by_key else WEAKEST
    vertex = drawing.define(f"{name}#requester{mark}", base, kind=Kind.QUORUM)
    if not people:
        drawing.arc(vertex, [], Why.QUORUM_OF, need=1)
    for person in sorted(people):
        key = _key(drawing, person)
        drawing.arc(vertex, [key], Why.QUORUM_OF, use=TAKES)
        needed = key if person == way.identity else drawing.mention(person)
        drawing.arc(vertex, [needed], Why.QUORUM_OF, use=OPENS)
    return vertex


def _approvals(drawing: Drawing, name: str, people: frozenset[str], need: int) -> int:
    """So many of them."""
    vertex = drawing.define(name, WEAKEST, kind=Kind.QUORUM)
    need = min(need, 255)
    keys = [_key(drawing, person) for person in sorted(people)]
    drawing.arc(vertex, keys, Why.QUORUM_OF, need=need, use=TAKES)
    approvers = [drawing.mention(person) for person in sorted(people)]
    drawing.arc(vertex, approvers, Why.QUORUM_OF, need=need, use=OPENS)
    return vertex


def _key(drawing: Drawing, person: str) -> int:
    """A person's own key with Locum: bound by signing in, so whoever is them has it."""
    name = f"{person}#key"
    if drawing.is_defined(name):
        return drawing.mention(name)
    word = word_of_method(method("locum-key"), Proofing.IAL3)
    vertex = drawing.define(name, word, kind=Kind.AUTHENTICATOR)
    drawing.arc(vertex, [drawing.mention(person)], Why.SIGNS_IN, PROOFED, use=TAKES)
    return vertex
