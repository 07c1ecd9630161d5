"""`locum check`: what is wrong with an estate, before anybody depends on it."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from locum.cli.output import FINDINGS, OK, console, show
from locum.estate.checking import check as check_estate
from locum.estate.report import as_json, as_sarif, as_text


class Format(StrEnum):
    """How the findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def check(
    estate: Annotated[Path, typer.Argument(help="A YAML file, or a folder of them.")],
    form: Annotated[Format, typer.Option("--format", help="text, json or sarif.")] = Format.TEXT,
    notes: Annotated[bool, typer.Option("--notes", help="List notes, too.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Check an estate: form, names, and all laws. Exit 1 where it cannot be used."""
    report = check_estate(estate, datetime.now(UTC))
    if form is Format.SARIF:
        show(as_sarif(report), True, lambda _: None)
    elif as_data or form is Format.JSON:
        show(as_json(report), True, lambda _: None)
    else:
        console.print(as_text(report, notes), markup=False)
    raise typer.Exit(FINDINGS if report.refused else OK)
