"""Join stored charts into one, a chart at a time, so that no more than one is in memory.

What only one chart can mean is its own: its identities, their ways, their authenticators. Roots,
people's keys, and identities that a chart mentions and does not define are shared: they are one
vertex of the joined chart, whoever defines them. Shared vertices come first, then each chart's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from locum.estate.graph.arcs import Arcs, Numbers, together
from locum.estate.graph.sharing import Opened, Part, Shared, Sharing, file_numbers, opened_of
from locum.estate.graph.solving import Progress
from locum.estate.graph.storing import Block, Storing
from locum.estate.graph.ways import Ways


def join(parts: Sequence[Part], folder: Path, progress: Progress) -> None:
    """Store the chart of all parts together.

    Args:
        folder: none of the parts' own.
        progress: is told how much is done, from 0 to 1.

    Raises:
        EstateError: an identity stands in two parts.
        MalformedInput: a part is damaged.
        OSError: the folder cannot be written.
    """
    sharing = Sharing()
    for at, part in enumerate(parts):
        sharing.add(opened_of(part))
        progress((at + 1) / len(parts) / 2)
    shared = sharing.finish(parts)
    notes: dict[int, str] = {}
    with Storing(folder) as storing:
        storing.append(_shared_block(shared))
        for at, part in enumerate(parts):
            opened = opened_of(part)
            storing.append(_own_block(opened, shared, at))
            first = shared.first_rows[at]
            notes |= {first + row: words for row, words in opened.chart.notes.items()}
            progress(0.5 + (at + 1) / len(parts) / 2)
        storing.finish(list(shared.files), notes)


def _shared_block(shared: Shared) -> Block:
    arcs = shared.heads(0, shared.count)
    nothing = np.zeros(shared.count, np.uint8)
    return {
        "vertices": {
            **_vertex_columns(
                shared.names, {**shared.columns, "person": nothing, "privileged": nothing}
            ),
            "arcs": _per_head(arcs, 0, shared.count),
        },
        **_arc_columns(arcs),
    }


def _own_block(opened: Opened, shared: Shared, part: int) -> Block:
    chart, own, places = opened.chart, ~opened.shared, opened.places
    low, high = shared.first_own[part], shared.first_own[part + 1]
    at = np.empty(len(own), np.int64)
    at[own] = np.arange(low, high)
    at[~own] = shared.number[shared.drafts[part]]
    arcs = Arcs.of(chart.graph)
    mine = arcs.where(own[arcs.head]).numbered(at)
    arcs = together([mine, shared.heads(low, high)]).by_head()
    files = file_numbers(places.files, shared.files)
    columns = {
        "base": chart.graph.base,
        "kind": chart.graph.kind,
        "unknown": chart.unknown,
        "person": chart.person,
        "privileged": chart.privileged,
        "file": files[places.file],
        "line": places.line,
        "column": places.column,
    }
    return {
        "vertices": {
            **_vertex_columns(
                opened.names.filter(pa.array(own)),
                {name: column[own] for name, column in columns.items()},
            ),
            "arcs": _per_head(arcs, low, high),
        },
        **_arc_columns(arcs),
        "ways": _way_columns(chart.ways, at, shared, shared.first_rows[part]),
    }


def _vertex_columns(names: pa.LargeStringArray, columns: dict[str, NDArray[Any]]) -> dict[str, Any]:
    order = ("base", "kind", "unknown", "person", "privileged", "file", "line", "column")
    return {"name": names, **{name: columns[name] for name in order}}


def _per_head(arcs: Arcs, low: int, high: int) -> NDArray[np.int32]:
    return np.bincount(arcs.head - low, minlength=high - low).astype(np.int32)


def _arc_columns(arcs: Arcs) -> Block:
    columns = {name: getattr(arcs, name) for name in ("own", "need", "use", "why", "size")}
    return {"arcs": columns, "bodies": {"vertex": arcs.body.astype(np.int32)}}


def _way_columns(ways: Ways, at: Numbers, shared: Shared, first: int) -> dict[str, NDArray[Any]]:
    """The ways of a part in the joined numbers; an identity's primary may be in another part."""
    columns = {name: getattr(ways, name) for name in Ways.__struct_fields__}
    identity = at[ways.identity]
    primary = np.where(ways.primary < 0, -1, ways.primary + first)
    elsewhere = np.flatnonzero(ways.primary < 0)
    primary[elsewhere] = [shared.primary.get(int(one), -1) for one in identity[elsewhere]]
    return {
        **columns,
        "vertex": at[ways.vertex].astype(np.int32),
        "identity": identity.astype(np.int32),
        "primary": primary.astype(np.int32),
        "asked": np.where(ways.asked < 0, -1, at[ways.asked]).astype(np.int32),
    }
