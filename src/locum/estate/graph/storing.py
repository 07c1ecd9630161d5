"""Store a chart as Parquet, in one block or in many; `reading` says what a folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from locum.estate.graph.chart import Chart
from locum.estate.graph.reading import FILES, HEAD, KIND, Names, Places, digest_of
from locum.estate.graph.ways import Ways
from locum.estate.problem import Position

Block = dict[str, dict[str, Any]]
"""Columns by name, of each file of a folder."""


class Storing:
    """A folder in the making: blocks are appended, and it counts once it is finished."""

    def __init__(self, folder: Path) -> None:
        """Begin a folder; an older one in its place is no longer whole.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / HEAD).unlink(missing_ok=True)
        self._folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows = dict.fromkeys(FILES, 0)

    def __enter__(self) -> Self:
        """Blocks can be appended."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files; unless it was finished, the folder stays damaged."""
        for writer in self._writers.values():
            writer.close()

    def append(self, block: Block) -> None:
        """Write one block after the others.

        Raises:
            OSError: it cannot be written.
        """
        for name, columns in block.items():
            table = pa.table(columns)
            if name not in self._writers:
                file = self._folder / f"{name}.parquet"
                self._writers[name] = pq.ParquetWriter(file, table.schema, compression="zstd")
            self._writers[name].write_table(table)
            self._rows[name] += table.num_rows

    def finish(self, files: Sequence[str], notes: Mapping[int, str]) -> None:
        """Say that it is whole.

        Args:
            files: by number, the files that places name.
            notes: by row of a way, what is wider about it.

        Raises:
            OSError: it cannot be written.
        """
        self.__exit__()
        head = {
            "kind": KIND,
            "files": list(files),
            "notes": {str(row): words for row, words in notes.items()},
            "rows": self._rows,
            "digests": {name: digest_of(self._folder / f"{name}.parquet") for name in FILES},
        }
        (self._folder / HEAD).write_text(json.dumps(head, indent=2) + "\n")


def write_chart(chart: Chart, folder: Path) -> None:
    """Store a chart; an older one in the folder is replaced.

    Raises:
        OSError: it cannot be written.
    """
    graph, places = chart.graph, place_columns(chart.places)
    with Storing(folder) as storing:
        storing.append(
            {
                "vertices": {
                    "name": name_column(chart.names),
                    "base": graph.base,
                    "kind": graph.kind,
                    "unknown": chart.unknown,
                    "person": chart.person,
                    "privileged": chart.privileged,
                    "arcs": np.diff(graph.first).astype(np.int32),
                    "file": places.file,
                    "line": places.line,
                    "column": places.column,
                },
                "arcs": {
                    "own": graph.own,
                    "need": graph.need,
                    "use": graph.use,
                    "why": graph.why,
                    "size": np.diff(graph.body_first).astype(np.int32),
                },
                "bodies": {"vertex": graph.body},
                "ways": {name: getattr(chart.ways, name) for name in Ways.__struct_fields__},
            }
        )
        storing.finish(places.files, chart.notes)


def name_column(names: Sequence[str]) -> pa.LargeStringArray:
    """Names as an Arrow column."""
    return names.column if isinstance(names, Names) else pa.array(names, pa.large_string())


def place_columns(places: Sequence[Position]) -> Places:
    """Places as columns."""
    if isinstance(places, Places):
        return places
    files = list(dict.fromkeys(one.file for one in places))
    number = {file: at for at, file in enumerate(files)}
    return Places(
        files,
        np.array([number[one.file] for one in places], np.int32),
        np.array([one.line for one in places], np.int32),
        np.array([one.column for one in places], np.int32),
    )
