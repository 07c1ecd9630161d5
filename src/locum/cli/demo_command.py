"""`locum demo`: play a story for real, then serve."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from locum.cli.output import FINDINGS, errors_explained
from locum.model.refusal import MalformedInput

if TYPE_CHECKING:
    from locum.demo.stage import Stage


STORIES = ("break-glass", "rotation")


def demo(
    story: Annotated[str, typer.Option(help=f"{', '.join(STORIES)}; none plays all.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Exit after the story.")] = False,
    data: Annotated[Path | None, typer.Option(help="Keep what it made here.")] = None,
    port: Annotated[
        int, typer.Option(help="Where Locum listens on 127.0.0.1; the next few are used, too.")
    ] = 8440,
) -> None:
    """Play stories with a real Locum and real servers; exit 1 if a step goes otherwise."""
    # The demo brings programs of its own; the other commands start faster without them.
    from locum.demo.stage import StoryBroken, console

    # Else the servers that it started and the folders that it made would outlive it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with errors_explained(), contextlib.ExitStack() as cleaning:
        if story and story not in STORIES:
            raise MalformedInput(f"There is no story {story!r}.", f"Play: {', '.join(STORIES)}.")
        if data is not None and data.exists() and any(data.iterdir()):
            raise MalformedInput(f"{data} is not empty.", "Name a new folder with --data.")
        folder = data or Path(tempfile.mkdtemp(prefix="locum-demo-"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if data is None:
            cleaning.callback(shutil.rmtree, folder, ignore_errors=True)
        stages: list[Stage] = []
        try:
            for number, name in enumerate([story] if story else STORIES):
                own = folder if story else folder / name
                own.mkdir(mode=0o700, exist_ok=True)
                console.rule(f"[bold]{name}[/bold]", align="left")
                stages.append(_PLAY[name](own, port + 10 * number, cleaning))
        except StoryBroken as broken:
            console.print(f"\n{broken.fact}\n{broken.remedy}", style="red", markup=False)
            raise typer.Exit(FINDINGS) from None
        went = "The story went" if len(stages) == 1 else "The stories went"
        console.print(f"\n[bold]{went} as told.[/bold]")
        if data is not None:
            console.print(f"Kept in {data}.", markup=False)
        if not once:
            where = " and ".join(one.origin for one in stages)
            console.print(f"Locum serves on {where} until Ctrl-C.", markup=False)
            stages[0].stay()


def _break_glass(folder: Path, port: int, cleaning: contextlib.ExitStack) -> Stage:
    from locum.demo.break_glass import play
    from locum.demo.database import DemoDatabase
    from locum.demo.stage import Stage, console

    console.print("Starting a PostgreSQL of its own for the demo …", style="dim")
    database = DemoDatabase()
    cleaning.callback(database.close)
    stage = Stage(folder, port, database.programs)
    cleaning.callback(stage.stop)
    play(stage, database)
    return stage


def _rotation(folder: Path, port: int, cleaning: contextlib.ExitStack) -> Stage:
    from locum.demo.rotation import Rotation

    played = Rotation(folder, port)
    cleaning.callback(played.close)
    played.play()
    return played.stage


_PLAY: dict[str, Callable[[Path, int, contextlib.ExitStack], Stage]] = {
    "break-glass": _break_glass,
    "rotation": _rotation,
}
