"""`locum demo`: play a story for real, then serve."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from locum.cli.output import FINDINGS, errors_explained
from locum.model.refusal import MalformedInput


def demo(
    story: Annotated[str, typer.Option(help="break-glass; none plays all that exist.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Exit after the story.")] = False,
    data: Annotated[Path | None, typer.Option(help="Keep what it made here.")] = None,
    port: Annotated[int, typer.Option(help="Where Locum listens on 127.0.0.1.")] = 8440,
) -> None:
    """Play a story with a real Locum and a real PostgreSQL; exit 1 if a step goes otherwise."""
    # The demo brings programs of its own; the other commands start faster without them.
    from locum.demo.break_glass import play
    from locum.demo.database import DemoDatabase
    from locum.demo.stage import Stage, StoryBroken, console

    stories: dict[str, Callable[[Stage, DemoDatabase], None]] = {"break-glass": play}
    # Else the database that it started and the folders that it made would outlive it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with errors_explained(), contextlib.ExitStack() as cleaning:
        if story and story not in stories:
            raise MalformedInput(f"There is no story {story!r}.", f"Play: {', '.join(stories)}.")
        if data is not None and data.exists() and any(data.iterdir()):
            raise MalformedInput(f"{data} is not empty.", "Name a new folder with --data.")
        folder = data or Path(tempfile.mkdtemp(prefix="locum-demo-"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if data is None:
            cleaning.callback(shutil.rmtree, folder, ignore_errors=True)
        console.print("Starting a PostgreSQL of its own for the demo …", style="dim")
        database = DemoDatabase()
        cleaning.callback(database.close)
        stage = Stage(folder, port, database.programs)
        cleaning.callback(stage.stop)
        try:
            for name, played in stories.items():
                if story in ("", name):
                    played(stage, database)
        except StoryBroken as broken:
            console.print(f"\n{broken.fact}\n{broken.remedy}", style="red", markup=False)
            raise typer.Exit(FINDINGS) from None
        console.print("\n[bold]The story went as told.[/bold]")
        if data is not None:
            console.print(f"Kept in {data}.", markup=False)
        if not once:
            console.print(f"Locum serves on {stage.origin} until Ctrl-C.", markup=False)
            stage.stay()
