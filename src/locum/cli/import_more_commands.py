"""`locum import` of identity providers, databases and vaults."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import hvac
import psycopg
import requests
import typer

from locum.cli.import_commands import AsData, Notes, Propose, Store, answer
from locum.cli.output import errors_explained
from locum.estate.importing.entra import read_entra
from locum.estate.importing.keycloak import read_keycloak
from locum.estate.importing.postgresql import ask_postgresql, read_postgresql
from locum.estate.importing.vault import ask_vault, read_vault
from locum.model.refusal import MalformedInput


def keycloak(
    realm: Annotated[Path, typer.Argument(help="JSON of kc.sh export --users realm_file.")],
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A Keycloak realm: credentials, recovery, federation, clients."""
    with errors_explained():
        inventory = read_keycloak(realm.read_bytes(), str(realm))
    answer(inventory, propose_to, store, notes, as_data)


def entra(
    registrations: Annotated[Path, typer.Argument(help="JSON of userRegistrationDetails.")],
    policies: Annotated[
        Path | None, typer.Option("--policies", help="JSON of conditionalAccess/policies.")
    ] = None,
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """An Entra ID tenant: registered methods, and whom Conditional Access leaves out."""
    with errors_explained():
        inventory = read_entra(
            registrations.read_bytes(), str(registrations),
            policies.read_bytes() if policies else None, str(policies),
        )  # fmt: skip
    answer(inventory, propose_to, store, notes, as_data)


def postgresql(
    roles: Annotated[Path | None, typer.Option("--roles", help="CSV of pg_roles.")] = None,
    hba: Annotated[Path | None, typer.Option("--hba", help="pg_hba.conf.")] = None,
    live: Annotated[
        str | None, typer.Option("--live", help="Ask a running server: a connection string.")
    ] = None,
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A PostgreSQL server: roles and pg_hba.conf, or the running server."""
    with errors_explained():
        if live is not None:
            try:
                inventory = ask_postgresql(live, datetime.now(UTC))
            except psycopg.Error as error:
                said = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
                raise MalformedInput(
                    f"The server cannot be asked: {said}.",
                    "Its role must be allowed to read pg_hba_file_rules.",
                ) from None
        elif roles is not None and hba is not None:
            inventory = read_postgresql(roles.read_bytes(), str(roles), hba.read_bytes(), str(hba))
        else:
            raise MalformedInput("Nothing is named.", "Give --roles and --hba, or --live.")
    answer(inventory, propose_to, store, notes, as_data)


def vault(
    name: Annotated[str, typer.Argument(help="What the vault is called.")],
    methods: Annotated[
        Path | None, typer.Option("--auth", help="JSON of bao auth list -format=json.")
    ] = None,
    live: Annotated[
        str | None, typer.Option("--live", help="Ask a running one; its token is in BAO_TOKEN.")
    ] = None,
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """OpenBao or Vault: authentication methods, root token, unseal keys."""
    with errors_explained():
        if live is not None:
            try:
                inventory = ask_vault(live, os.environ.get("BAO_TOKEN", ""), name)
            except (hvac.exceptions.VaultError, requests.RequestException) as error:
                raise MalformedInput(
                    f"The vault cannot be asked: {type(error).__name__}.",
                    "Check the address, and that BAO_TOKEN may read sys/auth.",
                ) from None
        elif methods is not None:
            inventory = read_vault(methods.read_bytes(), str(methods), name)
        else:
            raise MalformedInput("Nothing is named.", "Give --auth, or --live.")
    answer(inventory, propose_to, store, notes, as_data)
