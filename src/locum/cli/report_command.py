"""`locum report`: the whole estate as a page that people look at, in one file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from locum.cli.estate_commands import bar
from locum.cli.output import OK, console, errors_explained, fail
from locum.estate.checking import check
from locum.estate.page.carrier import one_file, read_last
from locum.estate.page.data import page_data
from locum.estate.problem import EstateError


def report(
    estate: Annotated[
        Path, typer.Argument(help="A YAML file, a folder of them, or a stored graph.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")] = Path(
        "locum-report.html"
    ),
    last: Annotated[
        Path | None, typer.Option("--last", help="The report before, for the trend.")
    ] = None,
) -> None:
    """Write a report that opens offline: summary, map, lock-outs, findings; one page for print."""
    now = datetime.now(UTC)
    with errors_explained():
        before = None if last is None else read_last(last)
        with bar("solving the estate") as progress:
            found = check(estate, now, progress)
        if found.assessment is None:
            fail(EstateError(found.problems))
        data = page_data(found, estate.name or str(estate), f"{now:%Y-%m-%d %H:%M} UTC", before)
        out.write_text(one_file(data))
    console.print(f"Written: {out} ({len(data['findings'])} findings). Open it in a browser.")
    raise typer.Exit(OK)
