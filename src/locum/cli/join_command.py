"""`locum estate join`: estates and imports of several sources, as one graph."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from locum.cli.estate_commands import bar
from locum.cli.output import OK, console, errors_explained
from locum.estate.graph.joining import join
from locum.estate.graph.reading import is_stored
from locum.estate.graph.sharing import Part
from locum.estate.graph.storing import write_chart
from locum.estate.opening import charted
from locum.model.names import is_name
from locum.model.refusal import MalformedInput


def join_estates(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]SOURCE...",
            help="Estates of YAML files, and graphs that imports stored; with a name, every "
            "identity of the source is called NAME.IDENTITY.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to store it in, as Parquet.")],
) -> None:
    """Put estates and imports together: what one mentions, another may define."""
    with errors_explained(), TemporaryDirectory() as drafts, bar("joining") as progress:
        parts: list[Part] = []
        for at, text in enumerate(sources):
            name, source = _named(text)
            folder = source
            if source.resolve() == out.resolve():
                raise MalformedInput(
                    f"{out} is one of the sources.", "Store what is joined in another folder."
                )
            if not is_stored(source):
                folder = Path(drafts) / str(at)
                write_chart(charted(source), folder)
            parts.append(Part(folder, f"{name}." if name else ""))
        join(parts, out, progress)
    console.print(f"Stored: {out}. Look at it: locum check {out}")
    raise typer.Exit(OK)


def _named(text: str) -> tuple[str, Path]:
    name, equals, source = text.partition("=")
    if not equals:
        return "", Path(text)
    if not (is_name(name) and source):
        raise MalformedInput(f"`{text[:60]}` is not NAME=SOURCE.", "E.g. github=stored/github.")
    return name, Path(source)
