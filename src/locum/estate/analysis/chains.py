"""The shortest chain behind a finding: how it comes about, a step after the other.

A chain is the smallest derivation of its end out of what an attacker is granted (Knuth's
generalisation of Dijkstra's algorithm, 1977); for a loss, the shortest way on which it spreads.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

import msgspec

from locum.estate.graph.columns import OPENS, TAKES, Graph
from locum.estate.graph.kernel import ASKED
from locum.estate.graph.lattice import NO_WAY


class Step(msgspec.Struct, frozen=True):
    """One step: `head` is had through `arc`, or taken itself where `arc` is -1."""

    head: int
    arc: int
    body: tuple[int, ...]


def weak_chain(graph: Graph, end: int, bit: int) -> tuple[Step, ...]:
    """How somebody who must not suffice, by one bit of a word, gets to `end` all the same."""
    mask = 1 << bit
    return _shortest(
        graph,
        end,
        lambda vertex: not int(graph.base[vertex]) & mask and int(graph.base[vertex]) != NO_WAY,
        lambda arc: not int(graph.own[arc]) & mask,
    )


def fall_chain(graph: Graph, end: int, root: int) -> tuple[Step, ...]:
    """How `end` falls where `root` alone is taken."""
    return _shortest(
        graph, end, lambda vertex: vertex == root, lambda arc: not int(graph.own[arc]) & ASKED
    )


def _shortest(
    graph: Graph, end: int, granted: Callable[[int], bool], passable: Callable[[int], bool]
) -> tuple[Step, ...]:
    heads, waiting, leads = _arcs_to(graph, end, passable)
    best: dict[int, tuple[int, int]] = {}
    queue: list[tuple[int, int, int]] = [(1, vertex, -1) for vertex in heads if granted(vertex)]
    had: dict[int, list[int]] = {}
    heapq.heapify(queue)
    while queue:
        cost, vertex, through = heapq.heappop(queue)
        if vertex in best:
            continue
        best[vertex] = (cost, through)
        if vertex == end:
            break
        for arc in leads.get(vertex, ()):
            had.setdefault(arc, []).append(vertex)
            if len(had[arc]) == waiting[arc][1]:
                total = 1 + sum(best[one][0] for one in had[arc])
                heapq.heappush(queue, (total, waiting[arc][0], arc))
    if end not in best:
        return ()
    steps: dict[int, Step] = {}
    _unfold(end, best, had, waiting, steps)
    return tuple(steps.values())


def _arcs_to(
    graph: Graph, end: int, passable: Callable[[int], bool]
) -> tuple[set[int], dict[int, tuple[int, int]], dict[int, list[int]]]:
    """Vertices that lead to `end`; of each arc between them its head and need; arcs by body."""
    heads, frontier = {end}, [end]
    waiting: dict[int, tuple[int, int]] = {}
    leads: dict[int, list[int]] = {}
    while frontier:
        vertex = frontier.pop()
        for arc in range(int(graph.first[vertex]), int(graph.first[vertex + 1])):
            if not graph.use[arc] & TAKES or not passable(arc):
                continue
            body = _body(graph, arc)
            if not body:
                continue
            waiting[arc] = (vertex, int(graph.need[arc]) or len(body))
            for one in body:
                leads.setdefault(one, []).append(arc)
                if one not in heads:
                    heads.add(one)
                    frontier.append(one)
    return heads, waiting, leads


def _body(graph: Graph, arc: int) -> list[int]:
    found: list[int] = graph.body[graph.body_first[arc] : graph.body_first[arc + 1]].tolist()
    return found


def _unfold(
    end: int,
    best: dict[int, tuple[int, int]],
    had: dict[int, list[int]],
    waiting: dict[int, tuple[int, int]],
    steps: dict[int, Step],
) -> None:
    """Put the steps that lead to `end` in order, each once, without recursion."""
    stack = [(end, False)]
    while stack:
        vertex, ready = stack.pop()
        if vertex in steps:
            continue
        arc = best[vertex][1]
        body = tuple(had[arc][: waiting[arc][1]]) if arc >= 0 else ()
        if ready or arc < 0:
            steps[vertex] = Step(vertex, arc, body)
            continue
        stack.append((vertex, True))
        stack += [(one, False) for one in reversed(body)]


def loss_chain(
    graph: Graph, end: int, lost: int, losses_of: Callable[[int], Iterable[int] | None]
) -> tuple[Step, ...]:
    """How the loss of one thing spreads to `end`: each step lost with the one before."""
    came: dict[int, tuple[int, int]] = {end: (-1, -1)}
    frontier = [end]
    for vertex in frontier:
        if vertex == lost:
            break
        for arc in range(int(graph.first[vertex]), int(graph.first[vertex + 1])):
            if not graph.use[arc] & OPENS:
                continue
            for one in _body(graph, arc):
                if one not in came and (one == lost or lost in (losses_of(one) or ())):
                    came[one] = (vertex, arc)
                    frontier.append(one)
    if lost not in came:
        return ()
    steps = [Step(lost, -1, ())]
    at = lost
    while at != end:
        upward, arc = came[at]
        steps.append(Step(upward, arc, (at,)))
        at = upward
    return tuple(steps)
