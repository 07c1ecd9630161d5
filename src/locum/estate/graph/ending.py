"""A chart as it is at an instant: what has ended by then opens nothing.

A stored chart says when each way ends, and is read on another day.
"""

from __future__ import annotations

import msgspec
import numpy as np

from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Why, settled
from locum.estate.graph.ways import ACTIVE


def as_of(chart: Chart, now: int) -> Chart:
    """The chart without the ways that have ended.

    Args:
        now: minutes since 1970.
    """
    graph, ways = chart.graph, chart.ways
    ended = (ways.ends >= 0) & (ways.ends <= now) & ((ways.flags & ACTIVE) != 0)
    if not ended.any():
        return chart
    gone = np.zeros(graph.vertices, bool)
    gone[ways.vertex[ended]] = True
    lets_in = np.flatnonzero(graph.why == Why.IS_WAY)
    closed = lets_in[gone[graph.body[graph.body_first[lets_in]]]]
    use = graph.use.copy()
    use[closed] = 0
    flags = np.where(ended, ways.flags & ~np.uint8(ACTIVE), ways.flags)
    return msgspec.structs.replace(
        chart,
        graph=settled(msgspec.structs.replace(graph, use=use)),
        ways=msgspec.structs.replace(ways, flags=flags),
    )
