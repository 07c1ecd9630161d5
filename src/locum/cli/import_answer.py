"""What every `locum import` does: read, say what is wrong, store, propose."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.progress import Progress

from locum.cli.estate_commands import bar
from locum.cli.output import FINDINGS, OK, console, errors, errors_explained, show
from locum.estate.checking import Report, of_chart
from locum.estate.gathering import store
from locum.estate.graph.chart import chart
from locum.estate.graph.reading import read_chart
from locum.estate.graph.storing import write_chart
from locum.estate.importing.export import Export, in_file
from locum.estate.importing.proposing import propose
from locum.estate.inventory import Inventory
from locum.estate.report import as_json, as_text
from locum.model.refusal import MalformedInput

ProposeTo = Annotated[
    Path | None, typer.Option("--propose", help="Write an estate to review and adopt.")
]
StoreIn = Annotated[Path | None, typer.Option("--store", help="Store the graph here, as Parquet.")]
NoCheck = Annotated[
    bool, typer.Option("--no-check", help="Store it only; `locum check` can look at it later.")
]
AsData = Annotated[bool, typer.Option("--json", help="Print data.")]
Notes = Annotated[bool, typer.Option("--notes", help="List notes, too.")]
Opening = Callable[[Path], Export]
Parts = Generator[Inventory, None, None]


def importing(read: Callable[..., Parts]) -> Callable[..., None]:
    """Make a command of what reads a source: it takes what every import takes, too.

    Args:
        read: its first parameter opens files, and the others are the command's own.
    """
    own = list(inspect.signature(read, eval_str=True).parameters.values())[1:]
    common = list(inspect.signature(answer, eval_str=True).parameters.values())[1:]

    def command(**given: Any) -> None:
        everybodys = {one.name: given.pop(one.name) for one in common}
        answer(lambda opening: read(opening, **given), **everybodys)

    parameters = [*own, *common]
    command.__name__, command.__doc__ = read.__name__, read.__doc__
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    vars(command)["__signature__"] = inspect.Signature(parameters)
    return command


def answer(
    read: Callable[[Opening], Parts],
    propose_to: ProposeTo = None,
    store_in: StoreIn = None,
    no_check: NoCheck = False,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """Say what is wrong with what there is, and keep it where asked.

    Args:
        read: the inventories of a source, which opens its files by what it is given; no identity
            stands in two.
    """
    if no_check and store_in is None:
        raise typer.BadParameter("say with --store where to store it", param_hint="--no-check")
    with errors_explained():
        report = _report(read, propose_to, store_in, no_check)
    if report is None:
        console.print(f"Stored: {store_in}. Look at it: locum check {store_in}")
        raise typer.Exit(OK)
    show(as_json(report), as_data, lambda _: console.print(as_text(report, notes), markup=False))
    if propose_to is not None and not as_data:
        console.print(f"Proposed: {propose_to}. Review it, then: locum check {propose_to}")
    raise typer.Exit(FINDINGS if report.refused else OK)


def _report(
    read: Callable[[Opening], Parts],
    propose_to: Path | None,
    store_in: Path | None,
    no_check: bool,
) -> Report | None:
    with TemporaryDirectory() as nowhere:
        with _reading() as opening, closing(read(opening)) as inventories:
            first, second = next(inventories), next(inventories, None)
            if second is not None:
                if propose_to is not None:
                    raise MalformedInput(
                        "There are too many identities for an estate that people review.",
                        "Leave --propose away, or export a part of them.",
                    )
                folder = store_in or Path(nowhere)
                store(chain((first, second), inventories), folder, lambda _: None)
        if second is None:
            drawn = chart(first)
            if store_in is not None:
                write_chart(drawn, store_in)
            if propose_to is not None:
                propose_to.write_text(propose(first))
        elif not no_check:
            drawn = read_chart(folder)
        if no_check:
            return None
        with bar("solving the estate") as progress:
            return of_chart(drawn, datetime.now(UTC), progress)


@contextmanager
def _reading() -> Iterator[Opening]:
    """Open files so that a terminal shows how far each is read."""
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:

        def opening(path: Path) -> Export:
            whole = in_file(path)
            return Export(
                whole.file,
                whole.size,
                lambda: progress.open(path, "rb", description=f"reading {path.name}"),
            )

        yield opening
