"""A stored graph that somebody else made is refused, or reported as any other: no stack trace."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from locum.estate.checking import check
from locum.estate.graph.reading import digest_of, read_chart
from locum.estate.graph.storing import write_chart
from locum.estate.opening import charted
from locum.estate.page.carrier import one_file
from locum.estate.page.data import page_data
from locum.estate.report import as_json, as_sarif, as_text
from locum.estate.report_xml import as_graphml, as_junit
from locum.model.refusal import MalformedInput

ACME = Path(__file__).parents[2] / "examples" / "acme"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
Column = NDArray[Any]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    write_chart(charted(ACME), folder)
    return folder


@pytest.fixture
def copy(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored, tmp_path / "copy"))


def head_with(folder: Path, **fields: Any) -> None:
    file = folder / "estate.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def column_with(folder: Path, name: str, change: Callable[[Column], Any]) -> None:
    """Change a column `file.column`, and let digests and counts say that all is well."""
    file, _, column = name.partition(".")
    table = pq.read_table(folder / f"{file}.parquet")
    at = table.schema.get_field_index(column)
    changed = change(table[column].to_numpy().copy())
    table = table.set_column(at, column, changed if isinstance(changed, pa.Array) else [changed])
    pq.write_table(table, folder / f"{file}.parquet")
    head = json.loads((folder / "estate.json").read_text())
    digests = {**head["digests"], file: digest_of(folder / f"{file}.parquet")}
    head_with(folder, digests=digests)


def put(value: int, at: Any = slice(None)) -> Callable[[Column], Column]:
    def change(column: Column) -> Column:
        column[at] = value
        return column

    return change


def moved(by: int) -> Callable[[Column], Column]:
    """The same sum, with one size below nothing."""

    def change(column: Column) -> Column:
        column[0] -= by
        column[1] += by
        return column

    return change


@pytest.mark.parametrize(
    "fields",
    [
        {"notes": []},
        {"notes": {"x": "y"}},
        {"notes": {"0": 5}},
        {"notes": {"1000000": "wider"}},
        {"notes": {"-1": "wider"}},
        {"notes": {"1" * 30: "wider"}},
        {"files": []},
        {"files": [5] * 10},
        {"files": None},
        {"rows": {}},
        {"digests": []},
        {"kind": "locum.estate.graph/3"},
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_head_that_is_none_is_refused(fields: dict[str, Any], copy: Path) -> None:
    head_with(copy, **fields)
    with pytest.raises(MalformedInput, match="the stored graph is damaged"):
        read_chart(copy)


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "", "\udcff"])
def test_a_head_of_another_shape_is_refused(text: str, copy: Path) -> None:
    (copy / "estate.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(MalformedInput, match=r"estate.json is not of locum.estate.graph/2"):
        read_chart(copy)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("vertices.kind", put(99)),
        ("vertices.unknown", put(255)),
        ("vertices.file", put(1000)),
        ("vertices.file", put(-1)),
        ("vertices.arcs", moved(50)),
        ("vertices.arcs", put(2**31 - 1, slice(0, 2))),
        ("vertices.name", lambda column: pa.array([None] * len(column), pa.large_string())),
        ("vertices.name", lambda column: pa.array(range(len(column)))),
        ("vertices.base", lambda column: pa.array([[1]] * len(column))),
        ("arcs.why", put(99)),
        ("arcs.use", put(0)),
        ("arcs.use", put(8)),
        ("arcs.size", moved(1000)),
        ("bodies.vertex", put(-1, 0)),
        ("ways.vertex", lambda column: column[::-1].copy()),
        ("ways.vertex", put(5)),
        ("ways.vertex", lambda column: np.arange(len(column), dtype=np.int32)),
        ("ways.primary", lambda column: np.roll(column, 3)),
        ("ways.primary", put(0)),
        ("ways.role", put(9)),
        ("ways.method", put(99)),
        ("ways.asked", put(-2)),
        ("ways.created", put(-5)),
        ("ways.flags", put(255)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_column_that_cannot_be_is_refused(
    column: str, change: Callable[[Column], Column], copy: Path
) -> None:
    column_with(copy, column, change)
    with pytest.raises(MalformedInput, match="the stored graph is damaged"):
        read_chart(copy)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("vertices.line", put(1)),
        ("vertices.base", put(0)),
        ("vertices.base", put(0xFFFF)),
        ("vertices.name", lambda column: pa.array(
            [f"</script>\x1b[2J\x00{at}" for at in range(len(column))], pa.large_string())),
        ("arcs.need", put(255)),
        ("ways.flags", lambda column: column | 0xFE),
        ("ways.used", put(2**31 - 1)),
        ("ways.created", put(2**31 - 1)),
        ("ways.primary", put(-1)),
        ("ways.spare", put(-127)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_graph_that_can_be_is_reported_in_every_form(
    column: str, change: Callable[[Column], Column], copy: Path
) -> None:
    column_with(copy, column, change)
    report = check(copy, NOW)
    for form in (as_text, as_json, as_sarif, as_junit, as_graphml):
        assert form(report)
    assert "</script>\x1b" not in one_file(page_data(report, "acme", "now"))


def test_a_graph_without_ways_is_reported(copy: Path) -> None:
    table = pq.read_table(copy / "ways.parquet").slice(0, 0)
    pq.write_table(table, copy / "ways.parquet")
    head = json.loads((copy / "estate.json").read_text())
    digests = {**head["digests"], "ways": digest_of(copy / "ways.parquet")}
    head_with(copy, digests=digests, rows={**head["rows"], "ways": 0}, notes={})
    assert check(copy, NOW).paths == 0
