"""What charts have in common: which mention in one of them is whose identity in another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from locum.estate.graph.arcs import Arcs, Numbers, together
from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Kind
from locum.estate.graph.reading import Places, read_chart
from locum.estate.graph.shared_names import Identities, SharedVertices
from locum.estate.graph.storing import name_column, place_columns
from locum.estate.inventory import Role
from locum.estate.problem import EstateError, Problem


class Part(msgspec.Struct, frozen=True):
    """A stored chart that is joined with others.

    Args:
        folder: where it is stored.
        prefix: what stands before the names of its own vertices, e.g. `github.`.
    """

    folder: Path
    prefix: str = ""


class Opened(msgspec.Struct, frozen=True):
    """A part in memory.

    Args:
        names: large_string[V].
        shared: bool[V].
    """

    chart: Chart
    names: pa.LargeStringArray
    places: Places
    shared: NDArray[np.bool_]


def opened_of(part: Part) -> Opened:
    """Read a part, and tell which of its vertices are shared.

    Raises:
        MalformedInput: it is damaged.
    """
    chart = read_chart(part.folder)
    names = name_column(chart.names)
    root = pc.match_substring(names, ":")
    if part.prefix:
        prefix, between = (pa.scalar(one, pa.large_string()) for one in (part.prefix, ""))
        names = pc.if_else(root, names, pc.binary_join_element_wise(prefix, names, between))
    either = pc.or_(root, pc.ends_with(names, "#key"))
    shared = either.to_numpy(zero_copy_only=False) | (chart.unknown == 1)
    return Opened(chart, names, place_columns(chart.places), shared)


class Shared(msgspec.Struct, frozen=True):
    """What the parts share, in the numbers of the joined chart.

    Args:
        count: how many shared vertices there are; own ones follow.
        names: large_string[count].
        columns: of the shared vertices, by name as they are stored.
        number: int64, of each draft of a shared vertex its number.
        drafts: of each part, the drafts of its shared vertices, in its order.
        first_own: of each part, the number of its first own vertex; and one past the last.
        first_rows: of each part, the row of its first way.
        arcs: those whose heads are shared, or another part's identity, by head.
        primary: of each identity that a part mentions and another defines, the row of its primary.
        files: the numbers of the files that places name.
    """

    count: int
    names: pa.LargeStringArray
    columns: dict[str, NDArray[Any]]
    number: Numbers
    drafts: list[NDArray[np.int32]]
    first_own: list[int]
    first_rows: list[int]
    arcs: Arcs
    primary: dict[int, int]
    files: dict[str, int]

    def heads(self, low: int, high: int) -> Arcs:
        """The arcs whose heads are from `low` to before `high`."""
        return self.arcs.where((self.arcs.head >= low) & (self.arcs.head < high))


class Sharing:
    """What the parts share, in the making.

    Until it is known which mention is whose identity, a shared vertex is known by its draft, a
    number among all that are shared. Arcs name it as -1 - its draft, and an own vertex by its
    number among all own ones.
    """

    def __init__(self) -> None:
        self._first_own, self._first_rows = [0], [0]
        self._files: dict[str, int] = {}
        self._vertices = SharedVertices()
        self._drafts: list[NDArray[np.int32]] = []
        self._arcs: list[Arcs] = []
        self._identities = Identities()

    def add(self, opened: Opened) -> None:
        """Take up what a part shares, and which identities it has."""
        chart, shared, places = opened.chart, opened.shared, opened.places
        graph, ways = chart.graph, chart.ways
        own = int(np.count_nonzero(~shared))
        files = file_numbers(places.files, self._files)
        drafts = self._vertices.add(
            opened.names.filter(pa.array(shared)),
            {
                "base": graph.base[shared],
                "kind": graph.kind[shared],
                "unknown": chart.unknown[shared],
                "file": files[places.file[shared]],
                "line": places.line[shared],
                "column": places.column[shared],
            },
        )
        at = np.empty(graph.vertices, np.int64)
        at[~shared] = self._first_own[-1] + np.arange(own)
        at[shared] = -1 - drafts.astype(np.int64)
        arcs = Arcs.of(graph)
        self._arcs.append(arcs.where(shared[arcs.head]).numbered(at))
        primary = np.full(graph.vertices, -1, np.int32)
        rows = np.flatnonzero(ways.role == Role.PRIMARY.value)
        primary[ways.identity[rows]] = self._first_rows[-1] + rows
        identities = ~shared & (graph.kind == Kind.IDENTITY)
        self._identities.add(
            opened.names.filter(pa.array(identities)), at[identities], primary[identities]
        )
        self._drafts.append(drafts)
        self._first_own.append(self._first_own[-1] + own)
        self._first_rows.append(self._first_rows[-1] + len(ways))

    def finish(self, parts: Sequence[Part]) -> Shared:
        """Tell which mention is whose.

        Raises:
            EstateError: an identity stands in two parts.
        """
        names, columns = self._vertices.finish()
        identities = self._identities.finish()
        twice = identities.first_twice()
        if twice is not None:
            raise _twice(twice, parts)
        vertex, row = identities.of(names)
        foreign = vertex >= 0
        count = int(np.count_nonzero(~foreign))
        number = np.empty(len(foreign), np.int64)
        number[~foreign] = np.arange(count)
        number[foreign] = count + vertex[foreign]

        def final(draft: Numbers) -> Numbers:
            found = count + draft
            found[draft < 0] = number[-1 - draft[draft < 0]]
            return found

        arcs = together(self._arcs)
        arcs = msgspec.structs.replace(arcs, head=final(arcs.head), body=final(arcs.body))
        return Shared(
            count,
            names.filter(pa.array(~foreign)),
            {name: column[~foreign] for name, column in columns.items()},
            number,
            self._drafts,
            [count + one for one in self._first_own],
            self._first_rows,
            arcs.said_once(),
            dict(zip(number[foreign].tolist(), row[foreign].tolist(), strict=True)),
            self._files,
        )


def _twice(name: str, parts: Sequence[Part]) -> EstateError:
    problems = []
    for part in parts:
        opened = opened_of(part)
        at = pc.index(opened.names, pa.scalar(name, pa.large_string())).as_py()
        if at >= 0 and not opened.shared[at]:
            problems.append(
                Problem(
                    opened.places[at], "duplicate-key", name, "",
                    f"`{name}` stands in more than one part, and may be two.",
                    "Name one of the parts, e.g. github=FOLDER: its identities get that prefix.",
                )
            )  # fmt: skip
    return EstateError(tuple(problems))


def file_numbers(files: Sequence[str], known: dict[str, int]) -> NDArray[np.int32]:
    """The numbers that files have in the joined chart; new ones get the next."""
    return np.array([known.setdefault(one, len(known)) for one in files], np.int32)
