"""Ask the graph everything once, and keep the answers together."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.approving import quorums
from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import TAKES, Graph, Kind, Onward, Why, onward, settled
from locum.estate.graph.lattice import NO_WAY
from locum.estate.graph.running import is_large
from locum.estate.graph.solving import Falls, Losses, Progress, falls, losses, weakest
from locum.estate.inventory import Role


@cache
def levels() -> NDArray[np.uint8]:
    """uint8[4, 65536]: each component of each word; 9 where it is no way in."""
    words = np.arange(1 << 16)
    one = (words & 0b10110) != 0b10110
    factors = np.where(words & 1 == 0, 0, np.where(one, 1, 2))
    # A level is how many of its unary bits are set.
    counted = [
        sum((words >> at) & 1 for at in range(first, first + width))
        for first, width in ((8, 2), (10, 3), (13, 3))
    ]
    table = np.stack([factors, *counted]).astype(np.uint8)
    table[:, words & (1 << 7) != 0] = 9
    return table


def is_below(have: NDArray[np.uint16], need: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Whether each word is below the other in some component; what is no way is below nothing."""
    table = levels()
    below = np.zeros(len(have), bool)
    for component in table:
        wanted = component[need]
        below |= (component[have] < wanted) & (wanted != 9)
    return below


class Solved(msgspec.Struct, frozen=True):
    """The answers of one estate.

    Args:
        value: uint16[V], the weakest way to each vertex.
        alone: uint16[V], the same where every identity had its primary alone. A fallback that
            weakens its own primary, by way of what administers it, is seen by this.
        label: uint16[V], what the authenticators that a way asks for say they are worth together;
            the weakest for what is no way.
        row_of: int32[V], the row of the way that an authenticator or way belongs to, or -1.
    """

    around: Onward
    value: NDArray[np.uint16]
    alone: NDArray[np.uint16]
    label: NDArray[np.uint16]
    falls: Falls
    losses: Losses
    row_of: NDArray[np.int32]


def solve(chart: Chart, progress: Progress) -> Solved:
    """Ask for the weakest ways, single compromises and single losses."""
    graph = chart.graph
    around = onward(graph)
    progress(0.1)
    value = weakest(graph, lambda: around)
    progress(0.2)
    watched = (graph.kind == Kind.IDENTITY).astype(np.uint8)
    watched[chart.privileged != 0] = 3
    watched[chart.ways.asked[chart.ways.asked >= 0]] = 2
    watched[quorums(chart, around.head)[0]] = 2
    rows = _rows(chart, around)
    alone = weakest(_primaries_alone(chart, rows), lambda: around)
    # What a fallback itself asks for is law 1's; here it is what primaries rest on.
    low = ((levels()[0][value] < 2) & ~_is_fallback(chart)[rows]).astype(np.uint8)
    fallen = falls(
        graph, around, low, watched, lambda part: progress(0.2 + 0.4 * part), rank=_by_name(chart)
    )
    progress(0.6)
    lost = losses(graph, around)
    progress(0.9)
    return Solved(around, value, alone, _labels(chart), fallen, lost, rows)


def _by_name(chart: Chart) -> NDArray[np.int64] | None:
    """The place of each vertex by its name, so that an answer does not go by the order of files.

    A large graph is not sorted for that; it keeps its order, because it is stored.
    """
    if is_large(chart.graph.arcs):
        return None
    rank = np.empty(chart.graph.vertices, np.int64)
    rank[sorted(range(len(rank)), key=chart.names.__getitem__)] = np.arange(len(rank))
    return rank


def _primaries_alone(chart: Chart, rows: NDArray[np.int32]) -> Graph:
    """The graph in which nobody gets in by a fallback."""
    graph = chart.graph
    is_way = np.flatnonzero(graph.why == Why.IS_WAY)
    fallback = is_way[_is_fallback(chart)[rows[graph.body[graph.body_first[is_way]]]]]
    use = graph.use.copy()
    use[fallback] &= ~np.uint8(TAKES)
    return settled(msgspec.structs.replace(graph, use=use))


def _is_fallback(chart: Chart) -> NDArray[np.bool_]:
    """By row; the last stands for the row -1 of what belongs to no way, and there may be no way."""
    return np.append(chart.ways.role != Role.PRIMARY.value, False)


def _rows(chart: Chart, around: Onward) -> NDArray[np.int32]:
    """Which way each vertex belongs to: a way, its evidence, its authenticators."""
    graph = chart.graph
    rows = np.full(graph.vertices, -1, np.int32)
    mine = np.arange(len(chart.ways), dtype=np.int32)
    rows[chart.ways.vertex] = mine
    asked = chart.ways.asked >= 0
    rows[chart.ways.asked[asked]] = mine[asked]
    presents = np.flatnonzero((graph.why == Why.PRESENTS) | (graph.why == Why.YIELDS))
    size = np.diff(graph.body_first)[presents]
    inside = np.repeat(graph.body_first[presents], size) + _counting(size)
    body, head = graph.body[inside], np.repeat(around.head[presents], size)
    mine = (graph.kind[body] == Kind.AUTHENTICATOR) & (rows[body] < 0)
    rows[body[mine]] = rows[head[mine]]
    return rows


def _counting(sizes: NDArray[np.int32]) -> NDArray[np.int64]:
    """0, 1, … for each size, one after another."""
    total = int(sizes.sum())
    return np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _labels(chart: Chart) -> NDArray[np.uint16]:
    """What the authenticators that each way asks for say they are worth together."""
    graph = chart.graph
    label = np.zeros(graph.vertices, np.uint16)
    presents = np.flatnonzero((graph.why == Why.PRESENTS) & ((graph.use & TAKES) != 0))
    size = np.diff(graph.body_first)[presents]
    heads = np.repeat(np.arange(graph.vertices, dtype=np.int32), np.diff(graph.first))[presents]
    for at in range(int(size.max(initial=0))):
        with_it = size > at
        base = graph.base[graph.body[graph.body_first[presents[with_it]] + at]]
        label[heads[with_it]] |= np.where(base == NO_WAY, 0, base).astype(np.uint16)
    return label
