"""What the kernels and the words rely on in a chart that somebody else may have stored.

The loops are compiled and look at no bounds, so a number that points past its column reads, or
writes, where nobody asked it to. A digest finds what was damaged, and not who made both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.chart import METHODS, Chart
from locum.estate.graph.columns import BOTH, TAKES, Graph, Kind, Why
from locum.estate.graph.ways import ACTIVE, NEVER_SEEN, UNSAID, Ways
from locum.estate.inventory import Role

_INSTANTS = ("created", "ends", "used", "drilled", "reviewed", "waived")


def fault_of(chart: Chart) -> str:
    """Say what cannot be in a chart; empty where it is sound.

    Args:
        chart: its columns have their kinds, and within each table one length.
    """
    faults = (
        *_of_graph(chart.graph),
        *_of_ways(chart.ways, chart.graph),
        *(
            fault
            for name in ("unknown", "person", "privileged")
            for fault in _outside(name, getattr(chart, name), 0, 2)
        ),
        *_of_notes(chart.notes, len(chart.ways)),
    )
    return next(iter(faults), "")


def _of_graph(graph: Graph) -> Iterator[str]:
    yield from _outside("kind", graph.kind, 0, len(Kind))
    yield from _outside("why", graph.why, 0, len(Why))
    yield from _outside("use", graph.use, TAKES, BOTH + 1)
    yield from _outside("bodies.vertex", graph.body, 0, graph.vertices)


def _of_ways(ways: Ways, graph: Graph) -> Iterator[str]:
    for name, low, high in (
        ("vertex", 0, graph.vertices),
        ("identity", 0, graph.vertices),
        ("primary", -1, len(ways)),
        ("asked", -1, graph.vertices),
        ("role", 0, len(Role)),
        ("method", 0, len(METHODS)),
        ("owned", 0, 2),
    ):
        yield from _outside(f"ways.{name}", getattr(ways, name), low, high)
    if (np.diff(ways.vertex) <= 0).any():
        yield "the ways are not in the order of their vertices"
    elif (graph.kind[ways.vertex] != Kind.WAY).any():
        yield "a way is of another kind"
    elif not _lead_in(ways, graph):
        yield "a way that works leads into no identity, or into another"
    with_primary = np.flatnonzero(ways.primary >= 0)
    primary = ways.primary[with_primary]
    if (ways.role[primary] != Role.PRIMARY.value).any():
        yield "ways.primary names what is no primary"
    elif (ways.identity[primary] != ways.identity[with_primary]).any():
        yield "ways.primary names the primary of another identity"
    for name in _INSTANTS:
        column = getattr(ways, name)
        said = (column != UNSAID) & (column != NEVER_SEEN)
        yield from _outside(f"ways.{name}", column[said], 0, 2**31)


def _lead_in(ways: Ways, graph: Graph) -> bool:
    """Whether every way that works gives its identity."""
    size = np.diff(graph.body_first)
    arcs = np.flatnonzero((graph.why == Why.IS_WAY) & (size == 1))
    into = np.full(graph.vertices, -1, np.int32)
    into[graph.body[graph.body_first[arcs]]] = graph.heads[arcs]
    works = (ways.flags & ACTIVE) != 0
    return bool((into[ways.vertex[works]] == ways.identity[works]).all())


def _of_notes(notes: Mapping[int, str], rows: int) -> Iterator[str]:
    if not all(0 <= row < rows for row in notes):
        yield "a note is of a way that there is not"


def _outside(name: str, column: NDArray[Any], low: int, high: int) -> Iterator[str]:
    if len(column) and not (low <= int(column.min()) and int(column.max()) < high):
        yield f"{name} holds a number that it cannot hold"
