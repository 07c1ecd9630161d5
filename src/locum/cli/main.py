"""`locum`: every command, named; exit 0 ok, 1 findings or refusal, 2 usage or bad input.

A command is imported when it is called: nobody waits for the libraries of the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from locum import __version__


class Place(NamedTuple):
    """Where a command is, and what `locum --help` says of it without looking there."""

    module: str
    name: str
    help: str
    passes_on: bool = False  # what it does not know is for the program that it runs


_PASS = {"allow_extra_args": True, "ignore_unknown_options": True}
COMMANDS = {
    "explain": Place(
        "explain_command",
        "explain_identity",
        "Explain an identity: its weakest way in, what it falls to, what locks it out; "
        "and what if.",
    ),
    "init": Place(
        "server_commands",
        "init",
        "Make a data folder, and print an invitation for the first administrator.",
    ),
    "serve": Place(
        "server_commands",
        "serve",
        "Serve until SIGTERM or Ctrl-C; SIGHUP reads the estate again.",
    ),
    "demo": Place(
        "demo_command",
        "demo",
        "Play stories with a real Locum and real servers; exit 1 if a step goes otherwise.",
    ),
    "check": Place(
        "estate_commands",
        "check",
        "Check an estate: form, names, all laws, and the whole as a graph. Exit 1 on findings.",
    ),
    "report": Place(
        "report_command",
        "report",
        "Write a report that opens offline: summary, map, lock-outs, findings; one page for print.",
    ),
    "request": Place(
        "path_commands",
        "request",
        "Ask that a path be opened; announce a planned rotation with --from and --until.",
    ),
    "approve": Place(
        "path_commands", "approve", "Approve exactly what a request asks; shows it first."
    ),
    "deny": Place(
        "path_commands",
        "deny",
        "Deny a request. Whoever asked withdraws their own request with this, too.",
    ),
    "activate": Place(
        "path_commands",
        "activate",
        "Open the path. The credential stays where it is until `locum run` takes it.",
    ),
    "close": Place(
        "path_commands",
        "close",
        "End a grant now: its credential is made useless, its sessions are ended.",
    ),
    "review": Place("path_commands", "review", "Judge a closed grant, which unblocks its path."),
    "status": Place(
        "path_commands", "status", "Show paths, requests, grants, and what is wrong now."
    ),
    "rotate": Place(
        "rotate_command",
        "rotate",
        "Walk through a rotation: announce, backup, replace, cutover, backup dead, review due.",
    ),
    "acme-key": Place(
        "acme_command",
        "acme_key",
        "Mint a key, good once and for ten minutes, for certbot, lego, Caddy or cert-manager.",
    ),
    "crl": Place(
        "crl_command",
        "crl",
        "Write the revocation lists that a server reads from a file, and keep them new.",
    ),
    "cutover": Place(
        "cutover_command",
        "cutover",
        "End a rotation: the new certificate was seen in use, and the backup dies.",
    ),
    "login": Place(
        "people_commands",
        "login",
        "Make a key on this machine and register it against an invitation.",
    ),
    "invite": Place(
        "people_commands",
        "invite",
        "Invite a person to register a key; only administrators may.",
    ),
    "keys": Place("people_commands", "keys", "List your keys, or revoke one."),
    "run": Place(
        "path_commands",
        "run",
        "Run a command with the secret in its environment; close the grant when it ends.",
        passes_on=True,
    ),
    "drill": Place(
        "drill_command",
        "drill",
        "Rehearse a path: ask, wait for approvals, open, use it, close, see it dead.",
        passes_on=True,
    ),
    "version": Place("main", "version", "Print the version."),
    "ledger": Place(
        "ledger_commands", "group", "Verify and export the ledger; go on after a loss."
    ),
    "vault": Place("server_commands", "vault", "Seal secrets."),
    "import": Place("import_group", "group", "Read what is really there, out of exports."),
    "estate": Place("estate_group", "group", "Join estates; make some up for tests."),
    "pki": Place("authority_commands", "group", "The authority that signs backup certificates."),
}


class Commands(TyperGroup):
    """A group that knows its commands by name and one line, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, place in COMMANDS.items():
            self.add_command(TyperCommand(name, help=place.help))

    def resolve_command(
        self,
        ctx: Any,  # the class of Typer's own click, which it does not publish
        args: list[str],
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Find the command that the words name, as it is and no longer one line of help."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else loaded(name), rest


def loaded(name: str) -> TyperCommand | TyperGroup:
    """Import a command, and build it as Typer builds those that it knows from the start."""
    place = COMMANDS[name]
    found = getattr(import_module(f"locum.cli.{place.module}"), place.name)
    alone = typer.Typer()
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name, context_settings=_PASS if place.passes_on else None)(found)
    command = typer.main.get_group(alone).commands[name]
    assert isinstance(command, TyperCommand | TyperGroup)
    return command


app = typer.Typer(
    cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)


@app.callback()
def locum() -> None:
    """The authority for fallback authentication."""


def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The program's entry."""
    app()
