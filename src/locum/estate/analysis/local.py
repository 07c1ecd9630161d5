"""The part of a chart that one vertex rests on: whatever is asked about it is answered there.

Only what leads to a vertex can change what it is worth, what it falls to and what it is lost with;
so a question about one identity of a million costs what stands behind that one.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Graph, settled
from locum.estate.graph.ways import Ways


class Local(msgspec.Struct, frozen=True):
    """A part of a chart as a chart of its own.

    Args:
        vertices: int32[V'], the vertex of the whole that each of this is.
        rows: int32[W'], likewise its ways.
    """

    chart: Chart
    vertices: NDArray[np.int32]
    rows: NDArray[np.int32]

    def vertex(self, whole: int) -> int:
        """The vertex here of one of the whole, which is part of this."""
        return int(np.searchsorted(self.vertices, whole))


def behind(chart: Chart, starts: Sequence[int]) -> Local:
    """Everything that leads to these vertices.

    Args:
        starts: vertices of the whole.
    """
    graph = chart.graph
    reached = {int(one) for one in starts}
    frontier = list(reached)
    first, body_first, body = graph.first, graph.body_first, graph.body
    while frontier:
        v = frontier.pop()
        low, high = body_first[first[v]], body_first[first[v + 1]]
        for one in body[low:high].tolist():
            if one not in reached:
                reached.add(one)
                frontier.append(one)
    vertices = np.array(sorted(reached), np.int32)
    return Local(*_cut(chart, vertices))


def _cut(
    chart: Chart, vertices: NDArray[np.int32]
) -> tuple[Chart, NDArray[np.int32], NDArray[np.int32]]:
    graph = chart.graph
    low, high = graph.first[vertices], graph.first[vertices + 1]
    count = high - low
    first = np.zeros(len(vertices) + 1, np.int32)
    np.cumsum(count, out=first[1:])
    arcs = np.repeat(low - first[:-1], count) + np.arange(int(first[-1]))
    size = (graph.body_first[arcs + 1] - graph.body_first[arcs]).astype(np.int32)
    body_first = np.zeros(len(arcs) + 1, np.int32)
    np.cumsum(size, out=body_first[1:])
    inside = np.repeat(graph.body_first[arcs] - body_first[:-1], size) + np.arange(
        int(body_first[-1])
    )
    body = np.searchsorted(vertices, graph.body[inside]).astype(np.int32)
    part = settled(Graph(
        graph.base[vertices], graph.kind[vertices], first, graph.own[arcs], graph.need[arcs],
        graph.use[arcs], graph.why[arcs], body_first, body,
    ))  # fmt: skip
    rows = chart.rows_at(vertices)
    ways = chart.ways
    columns = {name: getattr(ways, name)[rows] for name in Ways.__struct_fields__}
    columns["vertex"] = np.searchsorted(vertices, columns["vertex"]).astype(np.int32)
    columns["identity"] = np.searchsorted(vertices, columns["identity"]).astype(np.int32)
    columns["asked"] = np.where(
        columns["asked"] < 0, -1, np.searchsorted(vertices, columns["asked"])
    ).astype(np.int32)
    place = np.searchsorted(rows, columns["primary"])
    there = (columns["primary"] >= 0) & (place < len(rows))
    columns["primary"] = np.where(there, place, -1).astype(np.int32)
    made = Chart(
        part,
        Ways(**columns),
        [chart.names[int(one)] for one in vertices],
        [chart.places[int(one)] for one in vertices],
        chart.unknown[vertices],
        chart.person[vertices],
        chart.privileged[vertices],
        {at: chart.notes[int(row)] for at, row in enumerate(rows) if int(row) in chart.notes},
    )
    return made, vertices, rows
