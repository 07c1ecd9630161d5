"""Approvals that several different people must give, and what is all of them at once (law 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import TAKES, Kind, Why


def quorums(chart: Chart, heads: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Quorums of two people or more that ways ask for.

    Args:
        heads: int32[A], the head of each arc.

    Returns:
        int32[Q] the vertex of each, and int32[Q] the row of the way that asks for it.
    """
    graph, ways = chart.graph, chart.ways
    of_several = (graph.why == Why.QUORUM_OF) & ((graph.use & TAKES) != 0) & (graph.need > 1)
    several = np.zeros(graph.vertices, bool)
    several[heads[of_several]] = True
    several &= graph.kind == Kind.QUORUM
    row_of = np.full(graph.vertices, -1, np.int32)
    rows = np.flatnonzero(ways.asked >= 0).astype(np.int32)
    row_of[ways.asked[rows]] = rows
    asking = np.flatnonzero((graph.why == Why.PRESENTS) & (row_of[heads] >= 0))
    size = np.diff(graph.body_first)[asking]
    begins = np.cumsum(size) - size
    inside = np.repeat(graph.body_first[asking] - begins, size) + np.arange(int(size.sum()))
    body, row = graph.body[inside], np.repeat(row_of[heads[asking]], size)
    chosen = several[body]
    return body[chosen], row[chosen]
