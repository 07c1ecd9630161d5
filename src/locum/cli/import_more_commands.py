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

from locum.cli.import_answer import Opening, Parts, importing
from locum.estate.importing.entra import read_entra
from locum.estate.importing.keycloak import read_keycloak
from locum.estate.importing.postgresql import ask_postgresql, read_postgresql
from locum.estate.importing.vault import ask_vault, read_vault
from locum.model.refusal import MalformedInput


@importing
def keycloak(
    opening: Opening,
    realm: Annotated[Path, typer.Argument(help="JSON of kc.sh export --users realm_file.")],
) -> Parts:
    """A Keycloak realm: credentials, recovery, federation, clients."""
    return read_keycloak(opening(realm))


@importing
def entra(
    opening: Opening,
    registrations: Annotated[Path, typer.Argument(help="JSON of userRegistrationDetails.")],
    policies: Annotated[
        Path | None, typer.Option("--policies", help="JSON of conditionalAccess/policies.")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option("--groups", help="JSON: groups/ID/members by group or role id.")
    ] = None,
) -> Parts:
    """An Entra ID tenant: registered methods, and whom Conditional Access leaves out."""
    rest = (policies, groups)
    return read_entra(
        opening(registrations), *(None if one is None else opening(one) for one in rest)
    )


@importing
def postgresql(
    opening: Opening,
    roles: Annotated[Path | None, typer.Option("--roles", help="CSV of pg_roles.")] = None,
    hba: Annotated[Path | None, typer.Option("--hba", help="pg_hba.conf.")] = None,
    live: Annotated[
        str | None, typer.Option("--live", help="Ask a running server: a connection string.")
    ] = None,
) -> Parts:
    """A PostgreSQL server: roles and pg_hba.conf, or the running server."""
    if live is not None:
        try:
            yield ask_postgresql(live, datetime.now(UTC))
        except psycopg.Error as error:
            # The library's words may quote what was given, and so a password.
            raise MalformedInput(
                f"The server cannot be asked: {type(error).__name__}.",
                "Try the same with psql; its role must be allowed to read pg_hba_file_rules.",
            ) from None
    elif roles is not None and hba is not None:
        yield read_postgresql(opening(roles), opening(hba))
    else:
        raise MalformedInput("Nothing is named.", "Give --roles and --hba, or --live.")


@importing
def vault(
    opening: Opening,
    name: Annotated[str, typer.Argument(help="What the vault is called.")],
    methods: Annotated[
        Path | None, typer.Option("--auth", help="JSON of bao auth list -format=json.")
    ] = None,
    roles: Annotated[
        Path | None, typer.Option("--roles", help="JSON: bao read -format=json by role's path.")
    ] = None,
    live: Annotated[
        str | None, typer.Option("--live", help="Ask a running one; its token is in BAO_TOKEN.")
    ] = None,
) -> Parts:
    """OpenBao or Vault: authentication methods, roles, root token, unseal keys."""
    if live is not None:
        if "@" in live:
            raise MalformedInput(
                "An address holds no user name or password.",
                "Leave what stands before the @ away; the token is in BAO_TOKEN.",
            )
        try:
            yield ask_vault(live, os.environ.get("BAO_TOKEN", ""), name)
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise MalformedInput(
                f"The vault cannot be asked: {type(error).__name__}.",
                "Check the address, and that BAO_TOKEN may read sys/auth, and list and read "
                "roles in auth/.",
            ) from None
    elif methods is not None:
        yield read_vault(opening(methods), name, opening(roles) if roles else None)
    else:
        raise MalformedInput("Nothing is named.", "Give --auth, or --live.")
