"""Read a stored chart back: whole or not at all.

A folder with `vertices.parquet`, `arcs.parquet`, `bodies.parquet` and `ways.parquet`, and
`estate.json`, which is written last and says what each file must hold. A graph without it, or with
a file of another length or digest, is damaged and nothing of it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Graph, settled
from locum.estate.graph.soundness import fault_of
from locum.estate.graph.ways import Ways
from locum.estate.problem import Position
from locum.model.refusal import MalformedInput

KIND: Literal["locum.estate.graph/2"] = "locum.estate.graph/2"
HEAD = "estate.json"
FILES = ("vertices", "arcs", "bodies", "ways")


class Head(msgspec.Struct, frozen=True):
    """What `estate.json` says.

    Args:
        files: by number, the files that places name.
        notes: by row of a way, what is wider about it.
        rows, digests: of each file of `FILES`.
    """

    kind: Literal["locum.estate.graph/2"]
    files: list[str]
    notes: dict[int, str]
    rows: dict[str, int]
    digests: dict[str, str]


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
                _offsets(vertices, "arcs", arcs),
                _numbers(arcs, "own", np.uint16),
                _numbers(arcs, "need", np.uint8),
                _numbers(arcs, "use", np.uint8),
                _numbers(arcs, "why", np.uint8),
                _offsets(arcs, "size", tables["bodies"]),
                _numbers(tables["bodies"], "vertex", np.int32),
            )
        )
        types = Ways.__annotations__
        columns = {name: _numbers(ways, name, _type_of(types[name])) for name in types}
        places = Places(
            head.files,
            _numbers(vertices, "file", np.int32),
            _numbers(vertices, "line", np.int32),
            _numbers(vertices, "column", np.int32),
        )
        chart = Chart(
            graph,
            Ways(**columns),
            Names(_texts(vertices, "name")),
            places,
            _numbers(vertices, "unknown", np.uint8),
            _numbers(vertices, "person", np.uint8),
            _numbers(vertices, "privileged", np.uint8),
            head.notes,
        )
    except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise _damaged(folder, f"a column is missing or of another kind ({error})") from None
    fault = fault_of(chart) or _fault_of(places)
    if fault:
        raise _damaged(folder, fault)
    return chart


def _fault_of(places: Places) -> str:
    file = places.file
    if len(file) and not (int(file.min()) >= 0 and int(file.max()) < len(places.files)):
        return "a place is in a file that nobody names"
    return ""


def _head(folder: Path) -> Head:
    try:
        head = msgspec.json.decode((folder / HEAD).read_bytes(), type=Head)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        raise _damaged(folder, f"{HEAD} is not of {KIND}") from None
    if set(head.rows) != set(FILES) or set(head.digests) != set(FILES):
        raise _damaged(folder, f"{HEAD} names other files")
    return head


def _table(folder: Path, name: str, head: Head) -> pa.Table:
    file = folder / f"{name}.parquet"
    try:
        if digest_of(file) != head.digests[name]:
            raise _damaged(folder, f"{file.name} is not what was stored")
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(folder, f"{file.name} cannot be read ({error})") from None
    if table.num_rows != head.rows[name]:
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


def _texts(table: pa.Table, name: str) -> pa.LargeStringArray:
    column = table[name].combine_chunks()
    if column.type != pa.large_string() or column.null_count:
        raise TypeError(name)
    column.validate(full=True)
    return column


def _offsets(table: pa.Table, name: str, parts: pa.Table) -> NDArray[np.int32]:
    """Where the parts of each row begin; the sizes say of every part whose it is."""
    sizes = _numbers(table, name, np.int32)
    if (sizes < 0).any() or int(sizes.sum(dtype=np.int64)) != parts.num_rows:
        raise ValueError(f"{name} does not add up")
    return offsets(sizes)


def _type_of(annotation: str) -> Any:
    return getattr(np, annotation.removeprefix("NDArray[np.").removesuffix("]"))


def offsets(sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each part begins, and where the last one ends, by the sizes of the parts."""
    found = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=found[1:])
    return found
