"""`locum estate`: estates put together, and made up."""

from __future__ import annotations

import typer

from locum.cli import generate_command, join_command

group = typer.Typer(no_args_is_help=True, help="Join estates; make some up for tests.")
group.command("join")(join_command.join_estates)
group.command("generate")(generate_command.generate_estate)
