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
        at: int64, of each occurrence of a shared vertex its number.
        first_at: of each part, where its occurrences begin, and where the last ends.
        first_own: of each part, the number of its first own vertex, and one past the last.
        first_rows: of each part, the row of its first way.
        arcs: those whose heads are shared, or another part's identity, by head.
        primary: of each identity that a part mentions and another defines, the row of its primary.
        files: the numbers of the files that places name.
    """

    count: int
    names: pa.LargeStringArray
    columns: dict[str, NDArray[Any]]
    at: Numbers
    first_at: list[int]
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

    Until it is known which mention is whose identity, an own vertex has its number among all own
    ones, and each occurrence of a shared one has -1 - its number among all occurrences.
    """

    def __init__(self) -> None:
        self._first_at, self._first_own, self._first_rows = [0], [0], [0]
        self._files: dict[str, int] = {}
        self._names: list[pa.LargeStringArray] = []
        self._columns: list[dict[str, NDArray[Any]]] = []
        self._arcs: list[Arcs] = []
        self._identities: list[pa.LargeStringArray] = []
        self._vertices: list[Numbers] = []
        self._primaries: list[Numbers] = []

    def add(self, opened: Opened) -> None:
        """Take up what a part shares, and which identities it has."""
        chart, shared, places = opened.chart, opened.shared, opened.places
        graph, ways = chart.graph, chart.ways
        own = np.count_nonzero(~shared)
        at = np.empty(graph.vertices, np.int64)
        at[~shared] = self._first_own[-1] + np.arange(own)
        at[shared] = -1 - (self._first_at[-1] + np.arange(len(shared) - own))
        files = file_numbers(places.files, self._files)
        self._names.append(opened.names.filter(pa.array(shared)))
        self._columns.append(
            {
                "base": graph.base[shared],
                "kind": graph.kind[shared],
                "unknown": chart.unknown[shared],
                "file": files[places.file[shared]],
                "line": places.line[shared],
                "column": places.column[shared],
            }
        )
        arcs = Arcs.of(graph)
        self._arcs.append(arcs.where(shared[arcs.head]).numbered(at))
        primary = np.full(graph.vertices, -1, np.int64)
        rows = np.flatnonzero(ways.role == Role.PRIMARY.value)
        primary[ways.identity[rows]] = self._first_rows[-1] + rows
        identities = ~shared & (graph.kind == Kind.IDENTITY)
        self._identities.append(opened.names.filter(pa.array(identities)))
        self._vertices.append(at[identities])
        self._primaries.append(primary[identities])
        self._first_at.append(self._first_at[-1] + len(shared) - int(own))
        self._first_own.append(self._first_own[-1] + int(own))
        self._first_rows.append(self._first_rows[-1] + len(ways))

    def finish(self, parts: Sequence[Part]) -> Shared:
        """Tell which mention is whose.

        Raises:
            EstateError: an identity stands in two parts.
        """
        identities = pa.concat_arrays(self._identities)
        if pc.count_distinct(identities).as_py() < len(identities):
            raise _twice(identities, parts)
        vertices, primaries = np.concatenate(self._vertices), np.concatenate(self._primaries)
        occurred = pa.concat_arrays(self._names).dictionary_encode()
        code = occurred.indices.to_numpy()
        whose = pc.index_in(occurred.dictionary, value_set=identities)
        foreign = whose.is_valid().to_numpy(zero_copy_only=False)
        whose = whose.fill_null(0).to_numpy()
        count = int(np.count_nonzero(~foreign))
        number = np.empty(len(foreign), np.int64)
        number[~foreign] = np.arange(count)
        number[foreign] = count + vertices[whose[foreign]]
        at = number[code]

        def final(draft: Numbers) -> Numbers:
            found: Numbers = np.where(draft < 0, at[np.minimum(-1 - draft, len(at) - 1)], 0)
            found[draft >= 0] = count + draft[draft >= 0]
            return found

        arcs = together(self._arcs)
        arcs = msgspec.structs.replace(arcs, head=final(arcs.head), body=final(arcs.body))
        rows = primaries[whose[foreign]].tolist()
        primary = dict(zip(number[foreign].tolist(), rows, strict=True))
        columns = {
            name: np.concatenate([one[name] for one in self._columns]) for name in self._columns[0]
        }
        return Shared(
            count,
            occurred.dictionary.filter(pa.array(~foreign)),
            _merged(columns, code, ~foreign),
            at,
            self._first_at,
            [count + one for one in self._first_own],
            self._first_rows,
            arcs.said_once(),
            primary,
            self._files,
        )


def _merged(
    columns: dict[str, NDArray[Any]], code: NDArray[np.int32], kept: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """One row for each vertex that occurs: defined where it is anywhere, as weak as anywhere."""
    unknown = np.ones(len(kept), np.uint8)
    np.minimum.at(unknown, code, columns["unknown"])
    # What is defined comes first, so that its place is the vertex's.
    order = np.argsort(columns["unknown"], kind="stable")
    first = np.full(len(kept), len(code), np.int64)
    np.minimum.at(first, code[order], np.arange(len(code)))
    at = order[first]
    base = columns["base"][at]
    defined = columns["unknown"] == 0
    np.bitwise_and.at(base, code[defined], columns["base"][defined])
    merged = {name: columns[name][at] for name in ("kind", "file", "line", "column")}
    return {name: one[kept] for name, one in {**merged, "base": base, "unknown": unknown}.items()}


def _twice(identities: pa.LargeStringArray, parts: Sequence[Part]) -> EstateError:
    counted = pc.value_counts(identities)
    several = counted.filter(pc.greater(counted.field("counts"), 1))
    name = several.field("values")[0].as_py()
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
