"""Read a stored chart back: whole or not at all.

A folder with `vertices.parquet`, `arcs.parquet`, `bodies.parquet` and `ways.parquet`, and
`estate.json`, which is written last and says what each file must hold. A graph without it, or with
a file of another length or digest, is damaged and nothing of it is used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Graph, settled
from locum.estate.graph.ways import Ways
from locum.estate.problem import Position
from locum.model.refusal import MalformedInput

KIND = "locum.estate.graph/2"
HEAD = "estate.json"
FILES = ("vertices", "arcs", "bodies", "ways")


class Names(Sequence[str]):
    """Names as an Arrow column: a text is made when somebody reads it."""

    def __init__(self, column: pa.LargeStringArray) -> None:
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, at: Any) -> Any:
        return self.column[int(at)].as_py()

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """The first place of a name.

        Raises:
            ValueError: there is none.
        """
        found = pc.index(self.column, pa.scalar(value, pa.large_string())).as_py()
        if found < start or (stop is not None and found >= stop):
            raise ValueError(value)
        return int(found)


class Places(Sequence[Position]):
    """Places as columns: a file by number, a line, a column."""

    def __init__(self, files: list[str], file: Any, line: Any, column: Any) -> None:
        self.files, self.file, self.line, self.column = files, file, line, column

    def __len__(self) -> int:
        return len(self.file)

    def __getitem__(self, at: Any) -> Any:
        file = self.files[int(self.file[at])]
        return Position(file, int(self.line[at]), int(self.column[at]))


def is_stored(source: Path) -> bool:
    """Whether a folder holds a stored graph."""
    return (source / HEAD).is_file()


def read_chart(folder: Path) -> Chart:
    """Read a stored chart.

    Raises:
        MalformedInput: it is damaged, or of another version.
    """
    head = _head(folder)
    tables = {name: _table(folder, name, head) for name in FILES}
    vertices, arcs, ways = tables["vertices"], tables["arcs"], tables["ways"]
    try:
        graph = settled(
            Graph(
                _numbers(vertices, "base", np.uint16),
                _numbers(vertices, "kind", np.uint8),
                offsets(_numbers(vertices, "arcs", np.int32)),
                _numbers(arcs, "own", np.uint16),
                _numbers(arcs, "need", np.uint8),
                _numbers(arcs, "use", np.uint8),
                _numbers(arcs, "why", np.uint8),
                offsets(_numbers(arcs, "size", np.int32)),
                _numbers(tables["bodies"], "vertex", np.int32),
            )
        )
        types = Ways.__annotations__
        columns = {name: _numbers(ways, name, _type_of(types[name])) for name in types}
        chart = Chart(
            graph,
            Ways(**columns),
            Names(vertices["name"].combine_chunks()),
            Places(
                head["files"],
                _numbers(vertices, "file", np.int32),
                _numbers(vertices, "line", np.int32),
                _numbers(vertices, "column", np.int32),
            ),
            _numbers(vertices, "unknown", np.uint8),
            _numbers(vertices, "person", np.uint8),
            _numbers(vertices, "privileged", np.uint8),
            {int(row): words for row, words in head["notes"].items()},
        )
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise _damaged(folder, f"a column is missing or of another kind ({error})") from None
    _check(chart, folder)
    return chart


def _check(chart: Chart, folder: Path) -> None:
    """What the kernels rely on: offsets and numbers that stay within their columns."""
    graph, ways = chart.graph, chart.ways
    fits = (
        int(graph.first[-1]) == graph.arcs
        and int(graph.body_first[-1]) == len(graph.body)
        and _within(graph.body, 0, graph.vertices)
        and _within(ways.vertex, 0, graph.vertices)
        and _within(ways.identity, 0, graph.vertices)
        and _within(ways.primary, -1, len(ways))
        and _within(ways.asked, -1, graph.vertices)
    )
    if not fits:
        raise _damaged(folder, "a number points past its column")


def _within(column: NDArray[Any], low: int, high: int) -> bool:
    return not len(column) or (int(column.min()) >= low and int(column.max()) < high)


def _head(folder: Path) -> dict[str, Any]:
    try:
        head = json.loads((folder / HEAD).read_text())
        known = head["kind"] == KIND and set(head["rows"]) == set(head["digests"]) == set(FILES)
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise _damaged(folder, f"{HEAD} is not of {KIND}")
    return dict(head)


def _table(folder: Path, name: str, head: dict[str, Any]) -> pa.Table:
    file = folder / f"{name}.parquet"
    try:
        if digest_of(file) != head["digests"][name]:
            raise _damaged(folder, f"{file.name} is not what was stored")
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(folder, f"{file.name} cannot be read ({error})") from None
    if table.num_rows != head["rows"][name]:
        raise _damaged(folder, f"{file.name} has {table.num_rows} rows")
    return table


def _damaged(folder: Path, why: str) -> MalformedInput:
    return MalformedInput(
        f"{folder}: the stored graph is damaged: {why}.",
        "Make it again from its sources; nothing of it was used.",
    )


def digest_of(file: Path) -> str:
    """What a file holds, in few digits."""
    whole = blake2b(digest_size=16)
    with file.open("rb") as stream:
        while part := stream.read(1 << 22):
            whole.update(part)
    return whole.hexdigest()


def _numbers(table: pa.Table, name: str, kind: Any) -> NDArray[Any]:
    column = table[name].combine_chunks()
    found = column.to_numpy(zero_copy_only=False)
    if found.dtype != kind or column.null_count:
        raise TypeError(name)
    return np.asarray(found)


def _type_of(annotation: str) -> Any:
    return getattr(np, annotation.removeprefix("NDArray[np.").removesuffix("]"))


def offsets(sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each part begins, and where the last one ends, by the sizes of the parts."""
    found = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=found[1:])
    return found
