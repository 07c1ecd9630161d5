"""The three questions to the whole graph: how weak, what falls, what is lost.

*Weakest way in*: for every vertex the meet, over all its derivations, of the join of what each
takes. *Single compromise*: what falls where one thing alone is taken, with nothing asked beyond
it. *Lock-out*: the single losses after which nothing is left. Model: account access graphs
(Hammann, Radomirović, Sasse, Basin, CCS 2019).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.columns import Graph, Kind, Onward
from locum.estate.graph.kernel_losses import EVERYTHING, TOO_MANY
from locum.estate.graph.running import is_large, loops

Progress = Callable[[float], None]
"""Told how much of a question is answered, from 0 to 1."""

_SWEEPS = 2
_FALL_LIMIT = 2_000
LOSS_LIMIT = 1_024
"""Single losses of one vertex that are kept."""
_TOGETHER = 64
_ROOM = 4
"""Room in the pool of losses for so many a vertex; it grows when it is full."""


def _quiet(_: float) -> None:
    """Tell nobody."""


def weakest(graph: Graph, turned: Callable[[], Onward]) -> NDArray[np.uint16]:
    """The weakest way to every vertex.

    All vertices are looked at in order, twice; then only those to which a change leads.

    Args:
        turned: the arcs turned round, asked for only where that does not settle it.

    Returns:
        uint16[V] of `lattice` words; `NO_WAY` where nobody gets.
    """
    run = loops(graph.arcs)
    value = graph.base.copy()
    columns = (graph.first, graph.own, graph.need, graph.use, graph.body_first, graph.body)
    todo = np.arange(graph.vertices, dtype=np.int32)
    moved = np.empty(graph.vertices, np.int32)
    for _ in range(_SWEEPS):
        changed = run.weaken(value, todo, moved, *columns)
        if changed == 0:
            return value
    around = turned()
    while changed:
        todo = _next_to(moved[:changed], around)
        moved = np.empty(len(todo), np.int32)
        changed = run.weaken(value, todo, moved, *columns)
    return value


def in_the_world(graph: Graph) -> NDArray[np.bool_]:
    """bool[V]: what somebody can take or lose; ways and quorums are only how things stand."""
    return ~np.isin(graph.kind, (Kind.WAY, Kind.QUORUM))


class Falls(msgspec.Struct, frozen=True):
    """What single compromises bring down.

    Args:
        roots: int32[R], everything in the world that one may have to oneself.
        reach: int64[R], how many identities fall with each alone.
        alone: int32[V], of each identity: how many roots suffice alone.
        worst: int32[V], of each identity: a root of fewer than two factors that does, or -1.
        privileged: uint8[R], whether a privileged identity falls with each root.
    """

    roots: NDArray[np.int32]
    reach: NDArray[np.int64]
    alone: NDArray[np.int32]
    worst: NDArray[np.int32]
    privileged: NDArray[np.uint8]


def falls(
    graph: Graph,
    around: Onward,
    low: NDArray[np.uint8],
    watched: NDArray[np.uint8],
    progress: Progress = _quiet,
    limit: int | None = None,
    rank: NDArray[np.int64] | None = None,
) -> Falls:
    """What falls where one root alone is taken, for each root.

    Roots with a small reach are followed one by one; those with a large one, sixty-four at once.

    Args:
        low: uint8[V], the vertex can be taken with fewer than two factors.
        watched: uint8[V], 1 for what counts as an identity, 3 for one that is privileged, 2 for
            what is watched besides.
        limit: vertices from which on a reach is large; in a small graph every reach is, because
            uncompiled loops are better off with sixty-four at once.
        rank: int64[V], which of several roots that are alike is the `worst` one: the lowest;
            without it the one that stands first.
    """
    run = loops(graph.arcs)
    if limit is None:
        limit = _FALL_LIMIT if is_large(graph.arcs) else 1
    roots = np.flatnonzero(in_the_world(graph)).astype(np.int32)
    if rank is not None:
        roots = roots[np.argsort(rank[roots])]
    reach = np.zeros(len(roots), np.int64)
    privileged = np.zeros(len(roots), np.uint8)
    alone = np.zeros(graph.vertices, np.int32)
    worst = np.full(graph.vertices, -1, np.int32)
    most = np.full(graph.vertices, -1, np.int64)
    run.falls_of_all(
        roots, limit, graph.own, graph.need, graph.use, graph.body_first,
        around.first, around.arc, around.head, watched, low, reach, privileged, alone, worst, most,
    )  # fmt: skip
    large = np.flatnonzero(reach < 0)
    for at in range(0, len(large), _TOGETHER):
        progress(at / len(large))
        chosen = large[at : at + _TOGETHER]
        mask = np.zeros(graph.vertices, np.uint64)
        mask[roots[chosen]] = np.uint64(1) << np.arange(len(chosen), dtype=np.uint64)
        spread(graph, around, mask)
        counted = np.zeros(len(chosen), np.int64)
        grave = np.zeros(len(chosen), np.uint8)
        run.count_falls(mask, watched, roots[chosen], low, counted, grave, alone, worst, most)
        reach[chosen], privileged[chosen] = counted, grave
    back = np.argsort(roots)
    return Falls(roots[back], reach[back], alone, worst, privileged[back])


class Losses(msgspec.Struct, frozen=True):
    """The single losses after which each vertex is out of reach.

    Args:
        start: int64[V], where the losses of each begin in `pool`.
        length: int32[V], how many; `EVERYTHING` where it is out of reach already, `TOO_MANY`
            where there are more than are kept.
        pool: int32[...], vertices, those of one vertex in order.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int32]
    pool: NDArray[np.int32]

    def of(self, vertex: int) -> list[int] | None:
        """The losses of one vertex; `None` where it is out of reach already."""
        length = int(self.length[vertex])
        if length == EVERYTHING:
            return None
        begin = int(self.start[vertex])
        return [int(one) for one in self.pool[begin : begin + max(length, 0)]]

    def too_many(self, vertex: int) -> bool:
        """Whether there are more losses than are kept, so that `of` says none."""
        return int(self.length[vertex]) == TOO_MANY


def spread(graph: Graph, around: Onward, mask: NDArray[np.uint64]) -> None:
    """Let sixty-four compromises, a bit each, bring down what they bring down; `mask` is filled."""
    run = loops(graph.arcs)
    todo = np.arange(graph.vertices, dtype=np.int32)
    while len(todo):
        moved = np.empty(len(todo), np.int32)
        changed = run.falls_together(
            mask, todo, moved, graph.first, graph.own, graph.need, graph.use, graph.body_first,
            graph.body,
        )  # fmt: skip
        todo = _next_to(moved[:changed], around)


def _next_to(changed: NDArray[np.int32], around: Onward) -> NDArray[np.int32]:
    """The vertices, in order, to which something leads that has changed."""
    count = around.first[changed + 1] - around.first[changed]
    if count.sum() < len(around.first) // 20 or not is_large(len(around.head)):
        begins = np.cumsum(count) - count
        arcs = around.arc[np.repeat(around.first[changed] - begins, count) + np.arange(count.sum())]
        return np.unique(around.head[arcs])
    led = np.zeros(len(around.first) - 1, np.bool_)
    loops(len(around.head)).lead_on(changed, around.first, around.arc, around.head, led)
    return np.flatnonzero(led).astype(np.int32)


def losses(graph: Graph, around: Onward, limit: int = LOSS_LIMIT) -> Losses:
    """The single losses after which each vertex is out of reach.

    Anything in the world can be lost; a way and a quorum are lost only with what they rest on.
    """
    run = loops(graph.arcs)
    losable = in_the_world(graph).astype(np.uint8)
    start = np.zeros(graph.vertices, np.int64)
    length = np.full(graph.vertices, EVERYTHING, np.int32)
    pool = np.empty(_ROOM * graph.vertices + limit, np.int32)
    times = np.zeros(graph.vertices, np.int32)
    hit = np.full(graph.vertices, -1, np.int64)
    used, mark = 0, 0
    todo = np.arange(graph.vertices, dtype=np.int32)
    while len(todo):
        moved, changed = np.empty(len(todo), np.int32), 0
        while True:
            changed, used, mark, full = run.look_for_losses(
                todo, moved, changed, graph.first, graph.need, graph.use,
                graph.body_first, graph.body, losable, limit, start, length, pool, used,
                times, hit, mark,
            )  # fmt: skip
            if full < 0:
                break
            pool, used = _compacted(start, length, pool, limit)
            todo = todo[full:]
        todo = _next_to(moved[:changed], around)
    return Losses(start, length, pool[:used].copy())


def _compacted(
    start: NDArray[np.int64], length: NDArray[np.int32], pool: NDArray[np.int32], limit: int
) -> tuple[NDArray[np.int32], int]:
    """Drop what is no longer used, and leave as much room again; `start` is set anew."""
    kept = np.maximum(length, 0)
    begins = np.cumsum(kept) - kept
    used = int(kept.sum())
    fresh = np.empty(2 * max(used, len(pool) // 2) + limit, np.int32)
    fresh[:used] = pool[np.repeat(start - begins, kept) + np.arange(used)]
    start[:] = begins
    return fresh, used
