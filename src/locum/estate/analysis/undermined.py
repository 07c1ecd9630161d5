"""What primaries rest on that is worth less than they say they are (law 1).

A device, a mailbox, the issuer or identity provider that vouches for a primary, the person whom an
agent acts for: whoever has one of these has the primary, whatever its own authenticators are. Each
is told once, however many rest on it. A person counts here as what their own primary says it is:
where that itself is undermined, or a fallback is weaker, that is a finding about them.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.solved import Solved, is_below
from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import TAKES, Kind, Why
from locum.estate.graph.lattice import missing_bits
from locum.estate.graph.ways import ACTIVE
from locum.estate.inventory import Role

_RESTING = (Why.KEPT_ON, Why.RESTS_ON, Why.ISSUED_BY, Why.ACTS_FOR)
"""Not `ASSUMED_BY`: whose role one may take on is authority, which no authenticator claims."""


class Resting(msgspec.Struct, frozen=True):
    """Arcs by which primaries rest on something, in columns of one length.

    Args:
        root: int32, what is rested on.
        identity: int32, whose primary rests on it.
        have: uint16, what the root gives, with what is asked beyond it; `lattice` words.
        need: uint16, what rests on it says it is worth.
    """

    root: NDArray[np.int32]
    identity: NDArray[np.int32]
    have: NDArray[np.uint16]
    need: NDArray[np.uint16]

    def where(self, mask: NDArray[np.bool_]) -> Resting:
        """Some of them."""
        return Resting(self.root[mask], self.identity[mask], self.have[mask], self.need[mask])


def undermining(chart: Chart, solved: Solved) -> Resting:
    """Where a root is worth less than the primary that rests on it; unknown roots are told so."""
    graph, ways = chart.graph, chart.ways
    single = (np.diff(graph.body_first) == 1) & ((graph.use & TAKES) != 0)
    arcs = np.flatnonzero(single & np.isin(graph.why, _RESTING))
    head, root = solved.around.head[arcs], graph.body[graph.body_first[arcs]]
    primary = _row_of_primary(chart)
    row = np.where(graph.kind[head] == Kind.IDENTITY, primary[head], solved.row_of[head])
    known = (row >= 0) & (chart.unknown[root] == 0)
    known &= (ways.role[row] == Role.PRIMARY.value) & ((ways.flags[row] & ACTIVE) != 0)
    arcs, head, root, row = arcs[known], head[known], root[known], row[known]
    by_itself = graph.kind[head] == Kind.AUTHENTICATOR
    need = np.where(by_itself, graph.base[head], solved.label[ways.vertex[row]])
    principal = (graph.why[arcs] == Why.ACTS_FOR) & (primary[root] >= 0)
    said = solved.label[ways.vertex[primary[root]]]
    have = np.where(principal, said, solved.value[root]) | graph.own[arcs]
    resting = Resting(root, ways.identity[row], have, need)
    return resting.where(is_below(have, need))


def _row_of_primary(chart: Chart) -> NDArray[np.int32]:
    """int32[V]: the row of each identity's primary, or -1."""
    rows = np.flatnonzero(chart.ways.role == Role.PRIMARY.value).astype(np.int32)
    found = np.full(chart.graph.vertices, -1, np.int32)
    found[chart.ways.identity[rows]] = rows
    return found


def missing_of(chart: Chart, solved: Solved, root: int) -> int:
    """A bit that shows what a root lacks of what rests on it; the caller knows that it lacks."""
    resting = undermining(chart, solved)
    resting = resting.where(resting.root == root)
    words = np.unique(np.stack([resting.have, resting.need]), axis=1)
    missing = {bit for have, need in words.T for _, bit in missing_bits(int(have), int(need))}
    return min(missing)
