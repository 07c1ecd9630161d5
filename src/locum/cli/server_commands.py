"""`locum init`, `locum serve`, `locum vault put`: for the one who runs Locum."""

from __future__ import annotations

import json
import secrets
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from locum.cli.authority_commands import AuthorityChoice, AuthorityKey, begin_authority
from locum.cli.output import console, errors_explained
from locum.estate.loading import load_lawful
from locum.issue.vault import checked_name
from locum.model.names import IdentityName, is_name
from locum.model.refusal import MalformedInput
from locum.model.secret import Secret
from locum.service.people import invited, issue_invitation
from locum.service.starting import make_folder, start

_SETTINGS = """# Locum's settings; docs/operations.md has every field.
estate = {estate}

[server]
origin = {origin}
host = "127.0.0.1"
port = {port}
{tls}"""
_ESTATE = """# Every field is explained in docs/estate.md.
version: 1
groups:
  administrators: [{admin}]
identities:
  {admin}:
    kind: human
    owner: {admin}@example.com
    primary: {{ method: passkey-device-bound }}
"""
Folder = Annotated[Path, typer.Option("--data", help="The data folder.")]
vault = typer.Typer(no_args_is_help=True, help="Seal secrets.")


def now() -> datetime:
    """The system's clock: the one source of time of a running Locum."""
    return datetime.now(UTC)


def init(
    folder: Annotated[Path, typer.Argument(help="The data folder to make.")],
    admin: Annotated[str, typer.Option(help="The first administrator's name.")],
    estate: Annotated[
        Path | None,
        typer.Option(help="Your estate, a file or a folder; a small one is begun without."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8440,
    origin: Annotated[
        str, typer.Option(help="The address that people use; 127.0.0.1 and the port without.")
    ] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="Speak TLS with this certificate, PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    store: Annotated[
        str,
        typer.Option(
            help="Keep state and ledger there: postgresql://… without a password; SQLite without."
        ),
    ] = "",
    authority: Annotated[
        AuthorityChoice,
        typer.Option(
            "--ca",
            help="Who signs backup certificates: an authority of its own, or yours, by a request "
            "that is printed.",
        ),
    ] = AuthorityChoice.OWN,
    again: Annotated[
        bool, typer.Option("--again", help="Only print a new invitation; stop Locum first.")
    ] = False,
) -> None:
    """Make a data folder, and print an invitation for the first administrator.

    The invitation works once, for 10 minutes; --again prints another.
    """
    with errors_explained():
        if again:
            invitation(folder, admin)
            return
        _demand_person(admin, estate)
        place = str(estate.resolve()) if estate is not None else "estate.yaml"
        tls = _tls_settings(certificate, key)
        address = origin or f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        text = _SETTINGS.format(
            estate=json.dumps(place), origin=json.dumps(address), port=port, tls=tls
        ) + _store_settings(store)
        make_folder(folder, text, now, secrets.token_bytes)
        if estate is None:
            (folder / "estate.yaml").write_text(_ESTATE.format(admin=admin))
        invitation(folder, admin, authority)


def _demand_person(admin: str, estate: Path | None) -> None:
    """Refuse what the first invitation would be refused for, before anything is made."""
    if estate is not None:
        invited(load_lawful(estate, now()).estate, IdentityName(admin))
    elif not is_name(admin):
        raise MalformedInput(
            f"{admin!r} cannot be a name.", "Use a-z, 0-9, `.`, `_` and `-`, e.g. `dana`."
        )


def _tls_settings(certificate: Path | None, key: Path | None) -> str:
    if certificate is None and key is None:
        return ""
    if certificate is None or key is None:
        raise MalformedInput("--certificate and --key go together.", "Name both, or neither.")
    files = [json.dumps(str(one.resolve())) for one in (certificate, key)]
    return f"certificate = {files[0]}\nkey = {files[1]}\n"


def _store_settings(url: str) -> str:
    if not url:
        return ""
    if urlsplit(url).password is not None:
        raise MalformedInput(
            "A command line may not hold the store's password.",
            "Leave it out of --store; put it into ~/.pgpass.",
        )
    return f"\n[store]\nurl = {json.dumps(url)}\n"


def invitation(folder: Path, admin: str, authority: AuthorityChoice | None = None) -> None:
    """Print a bootstrap invitation; whoever may read the folder may make one."""
    started = start(folder, now, secrets.token_bytes)
    try:
        if authority is not None:
            begin_authority(started, authority, AuthorityKey.P256)
        code, ends = started.locum.store.act(
            lambda transaction: issue_invitation(
                started.locum, transaction, IdentityName(admin), "operator"
            )
        ).result()
        console.print(f"Verifier key of the ledger:  {started.sequencer.signer.verifier}")
        console.print(f"Invitation for {admin}, once, until {ends:%H:%M:%S} UTC:\n")
        origin = started.settings.server.origin
        console.print(f"  locum login --url {origin} --invite {code.reveal()}\n", markup=False)
        console.print(f"Now start it:  locum serve --data {folder}", markup=False)
    finally:
        started.locum.store.close()


def serve(
    data: Folder = Path("locum-data"),
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Listen on another port than configured.")
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; SIGHUP reads the estate again."""
    # Here, as a person's own commands would wait a second for what only a server needs.
    from locum.cli.serving import serve_until_stopped

    with errors_explained():
        serve_until_stopped(data, now, secrets.token_bytes, port, reload_on=signal.SIGHUP)


@vault.command("put")
def put(
    name: Annotated[str, typer.Argument(help="The secret's name, e.g. orders-db-admin-password.")],
    data: Folder = Path("locum-data"),
) -> None:
    """Seal a secret in the vault; it is read from standard input, never from the command line.

    With the built-in vault on SQLite, stop `locum serve` first: one process writes at a time.
    """
    with errors_explained():
        text = sys.stdin.readline().rstrip("\n")
        if not text:
            raise MalformedInput("Standard input is empty.", "Pipe the secret in.")
        started = start(data, now, secrets.token_bytes)
        try:
            version = started.locum.vault.write(checked_name(name), Secret(text))
        finally:
            started.locum.store.close()
        console.print(f"Sealed {name} as version {version}.", markup=False)
