"""`locum login`, `locum invite`, `locum keys`: how people come to hold a key."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from locum.cli.client import Client, Login, new_key, save_key, save_login, saved_client
from locum.cli.output import console, errors_explained, show, table


class KeyKind(StrEnum):
    """The kinds of key that a person may hold."""

    P256 = "p256"
    ED25519 = "ed25519"


Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]


def login(
    invite: Annotated[str, typer.Option(help="The invitation's code.")],
    url: Annotated[str, typer.Option(help="Where Locum is.")] = "http://127.0.0.1:8440",
    key: Annotated[KeyKind, typer.Option(help="The kind of key to make.")] = KeyKind.P256,
    ca_file: Annotated[str, typer.Option(help="The authority of Locum's certificate.")] = "",
) -> None:
    """Make a key on this machine and register it against an invitation."""
    with errors_explained():
        made = new_key(key.value)
        kept = save_key(made)  # before it is registered: an invitation works once
        origin = url.rstrip("/")
        answer = Client(origin, made, ca_file=ca_file).register(invite)
        identity, jkt, expires_at = answer["identity"], answer["jkt"], answer["expires_at"]
        save_login(Login(origin, identity, jkt, expires_at, kept, ca_file))
        console.print(
            f"You are {answer['identity']}; this key is good until {answer['expires_at'][:10]}.",
            markup=False,
        )


def invite(
    identity: Annotated[str, typer.Argument(help="A person of the estate.")],
    vouch: Annotated[list[str] | None, typer.Option(help="E.g. managed-device.")] = None,
    as_json: Json = False,
) -> None:
    """Invite a person to register a key (administrators; once, 10 minutes)."""
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
    revoke: Annotated[str, typer.Option(help="Revoke the key of this thumbprint.")] = "",
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
