"""`locum pki …`: the certificate authority that signs backup certificates."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from locum.cli.output import console, errors_explained
from locum.issue.authority import IssuingAuthority
from locum.model.refusal import MalformedInput
from locum.service.authority_keys import Kind, ask_for_authority, install_chain, make_authority
from locum.service.private_file import write_private
from locum.service.starting import Started, start

ROOT_KEY = "root-ca.key"
group = typer.Typer(no_args_is_help=True, help="The authority that signs backup certificates.")
Folder = Annotated[Path, typer.Option("--data", help="The data folder; stop Locum on SQLite.")]


class AuthorityChoice(Enum):
    """Whose certificate stands above the issuing authority's."""

    OWN = "own"
    CSR = "csr"
    NONE = "none"


class AuthorityKey(Enum):
    """What the authority signs with."""

    P256 = "p256"
    ED25519 = "ed25519"


Key = Annotated[AuthorityKey, typer.Option("--key", help="What it signs with.")]


@group.command("init")
def begin(
    data: Folder = Path("locum-data"),
    key: Key = AuthorityKey.P256,
) -> None:
    """Make a root and the issuing authority below it; the root's key is yours to take offline."""
    with errors_explained():
        _on(data, lambda started: begin_authority(started, AuthorityChoice.OWN, key))


@group.command("request")
def request(data: Folder = Path("locum-data"), key: Key = AuthorityKey.P256) -> None:
    """Print a signing request, for your own authority to sign."""
    with errors_explained():
        _on(data, lambda started: begin_authority(started, AuthorityChoice.CSR, key))


@group.command("install")
def install(
    chain: Annotated[
        Path, typer.Argument(help="PEM: what your authority signed, then those above it.")
    ],
    data: Folder = Path("locum-data"),
) -> None:
    """Take what your authority answered to the signing request."""
    with errors_explained():
        text = chain.read_text()

        def take(started: Started) -> None:
            authority = install_chain(started.builtin, text, datetime.now(UTC))
            subject = authority.certificate.subject.rfc4514_string()
            console.print(f"Backup certificates are signed by {subject}.", markup=False)

        _on(data, take)


@group.command("show")
def show(data: Folder = Path("locum-data")) -> None:
    """Print the issuing authority's certificate and those above it, PEM, for relying parties."""
    with errors_explained():

        def put(started: Started) -> None:
            authority = started.locum.authority
            if not isinstance(authority, IssuingAuthority):
                raise MalformedInput(
                    "No certificate authority of Locum's own is set up.",
                    f"Make one: `locum pki init --data {data}`.",
                )
            sys.stdout.write(authority.chain_pem)

        _on(data, put)


def begin_authority(started: Started, choice: AuthorityChoice, key: AuthorityKey) -> None:
    """Make the issuing authority, or the request for it, and say what to do next.

    Raises:
        MalformedInput: there is one already.
    """
    name = urlsplit(started.settings.server.origin).hostname or "locum"
    kind: Kind = "p256" if key is AuthorityKey.P256 else "ed25519"
    match choice:
        case AuthorityChoice.OWN:
            root_key, _ = make_authority(
                started.builtin, kind, name, datetime.now(UTC), secrets.token_bytes
            )
            file = started.folder / ROOT_KEY
            write_private(file, root_key.reveal().encode())
            console.print(
                f"Root key of the certificate authority:  {file}  (Locum does not need it: take "
                "it offline)",
                markup=False,
            )
        case AuthorityChoice.CSR:
            sys.stdout.write(ask_for_authority(started.builtin, kind, name))
            console.print(
                "Have your authority sign it as a CA (pathlen:0), then: locum pki install "
                f"CHAIN.pem --data {started.folder}",
                markup=False,
            )
        case AuthorityChoice.NONE:
            return


def _on(data: Path, what: Callable[[Started], None]) -> None:
    started = start(data, lambda: datetime.now(UTC), secrets.token_bytes)
    try:
        what(started)
    finally:
        started.locum.store.close()
