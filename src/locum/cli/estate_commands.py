"""`locum check`: what is wrong with an estate, before anybody depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from locum.cli.output import FINDINGS, OK, USAGE, console, errors, errors_explained, show
from locum.estate.baseline import read_baseline
from locum.estate.checking import LISTED, Report
from locum.estate.checking import check as check_estate
from locum.estate.graph.storing import write_chart
from locum.estate.report import as_json, as_sarif, as_text
from locum.estate.report_opengraph import as_opengraph
from locum.estate.report_xml import as_graphml, as_junit


class Format(StrEnum):
    """How the findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    OPENGRAPH = "opengraph"
    GRAPHML = "graphml"


class FailOn(StrEnum):
    """From which severity on a check fails."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


def check(
    estate: Annotated[
        Path, typer.Argument(help="A YAML file, a folder of them, or a stored graph.")
    ],
    form: Annotated[Format, typer.Option("--format", help="How it is printed.")] = Format.TEXT,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit 1 from this severity on.")
    ] = FailOn.ERROR,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="An earlier --json: show only what is new.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="List so many findings.")] = LISTED,
    store: Annotated[
        Path | None, typer.Option("--store", help="Also store the graph here, as Parquet.")
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="List notes, too.")] = False,
    name: Annotated[
        str, typer.Option("--name", help="What BloodHound calls the estate; else as its folder.")
    ] = "",
    as_data: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Check an estate: form, names, all laws, and the whole as a graph. Exit 1 on findings.

    Exit 2 where it cannot be read, whatever --baseline and --fail-on say.
    """
    with errors_explained():
        known = frozenset() if baseline is None else read_baseline(baseline)
        with bar("solving the estate") as progress:
            report = check_estate(estate, datetime.now(UTC), progress, listed=limit, baseline=known)
        if store is not None and report.assessment is not None:
            write_chart(report.assessment.chart, store)
    name = name or estate.resolve().stem
    _print(report, Format.JSON if as_data else form, notes, name)
    if not report.is_whole:
        raise typer.Exit(USAGE)
    raise typer.Exit(FINDINGS if _fails(report, fail_on) else OK)


def _fails(report: Report, fail_on: FailOn) -> bool:
    match fail_on:
        case FailOn.ERROR:
            return report.has("error")
        case FailOn.WARNING:
            return report.has("warning")
        case FailOn.NOTE:
            return report.has("note")
        case FailOn.NEVER:
            return False


def _print(report: Report, form: Format, notes: bool, name: str) -> None:
    match form:
        case Format.TEXT:
            console.print(as_text(report, notes), markup=False)
        case Format.JSON:
            show(as_json(report), True, lambda _: None)
        case Format.SARIF:
            show(as_sarif(report), True, lambda _: None)
        case Format.OPENGRAPH:
            show(as_opengraph(report, name), True, lambda _: None)
        case Format.JUNIT:
            typer.echo(as_junit(report))
        case Format.GRAPHML:
            typer.echo(as_graphml(report))


@contextmanager
def bar(words: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on a terminal, which goes when the work is done."""
    columns = (TextColumn(words), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as made:
        task = made.add_task(words, total=1.0)
        yield lambda done: made.update(task, completed=done)
