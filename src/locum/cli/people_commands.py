"""`locum login`, `locum invite`, `locum keys`: how people come to hold a key."""

from __future__ import annotations

import sys
from enum import StrEnum
from getpass import getpass
from typing import Annotated, Any

import typer

from locum.cli.answers import ApiError, checked_origin
from locum.cli.arguments import CaFile, Json, an_id
from locum.cli.client import (
    Client,
    Login,
    forget_key,
    new_key,
    save_key,
    save_login,
    saved_client,
)
from locum.cli.output import console, errors_explained, show, table
from locum.model.refusal import MalformedInput
from locum.model.secret import Secret


class KeyKind(StrEnum):
    """The kinds of key that a person may hold."""

    P256 = "p256"
    ED25519 = "ed25519"


_REMEDY = (
    "Use address and code exactly as they were printed; a code works once, for 10 minutes. "
    "An administrator gives the next: `locum invite`."
)


def login(
    invite: Annotated[str, typer.Option(help="The invitation's code; asked for without.")] = "",
    url: Annotated[
        str, typer.Option(help="Locum's address, as in the invitation.")
    ] = "http://127.0.0.1:8440",
    key: Annotated[KeyKind, typer.Option(help="The kind of key to make.")] = KeyKind.P256,
    ca_file: CaFile = None,
) -> None:
    """Make a key on this machine and register it against an invitation.

    Without --invite the code is asked for, or read from standard input.
    """
    with errors_explained():
        authority = "" if ca_file is None else str(ca_file.absolute())
        origin, made = checked_origin(url), new_key(key.value)
        client = Client(origin, made, ca_file=authority)
        code = Secret(invite or _asked_for())
        kept = save_key(made)  # before it is registered: an invitation works once
        try:
            known = client.register(code)
        except ApiError as error:
            if error.status < 500:  # else it may be registered all the same
                forget_key(kept)
            if error.status == 401:
                raise ApiError(error.status, error.fact, _REMEDY) from None
            raise
        save_login(Login(origin, known.identity, known.jkt, known.expires_at, kept, authority))
        console.print(
            f"You are {known.identity}; this key is good until {known.expires_at[:10]}.",
            markup=False,
        )


def _asked_for() -> str:
    code = getpass("Invitation: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not code.strip():
        raise MalformedInput("No invitation was given.", "Say `--invite CODE`, or pipe it in.")
    return code.strip()


def invite(
    identity: Annotated[str, typer.Argument(help="A person of the estate.")],
    vouch: Annotated[
        list[str] | None, typer.Option(help="What you vouch for, e.g. managed-device; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Invite a person to register a key; only administrators may.

    The code works once, for 10 minutes.
    """
    with errors_explained():
        client = saved_client()
        body = {"identity": identity, "conditions": vouch or []}
        answer = client.post("/v1/invitations", body)

        def words(found: Any) -> None:
            console.print(f"For {identity}, once, until {found['ends_at']}:", markup=False)
            console.print(
                f"  locum login --url {client.origin} --invite {found['code']}", markup=False
            )

        show(answer, as_json, words)


def keys(
    revoke: Annotated[
        str, typer.Option(help="Revoke this key, of the first column.", callback=an_id)
    ] = "",
    as_json: Json = False,
) -> None:
    """List your keys, or revoke one."""
    with errors_explained():
        client = saved_client()
        if revoke:
            client.delete(f"/v1/keys/{revoke}")
            console.print("Revoked.")
            return
        show(
            client.get("/v1/keys"),
            as_json,
            lambda found: table(
                ["key", "registered", "ends", "revoked"],
                [
                    [
                        one["jkt"],
                        one["registered_at"][:19],
                        one["expires_at"][:19],
                        (one["revoked_at"] or "")[:19],
                    ]
                    for one in found
                ],
            ),
        )
