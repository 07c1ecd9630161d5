"""`locum drill`: rehearse a path against its real target, so that it works on the day."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from locum.cli.arguments import an_id
from locum.cli.client import Client, saved_client
from locum.cli.output import console, errors_explained
from locum.cli.path_commands import run_command
from locum.model.refusal import LocumError, MalformedInput

_POLL_SECONDS = 1.0


def drill(
    context: typer.Context,
    path: Annotated[str, typer.Argument(help="identity/path.")],
    resume: Annotated[
        str, typer.Option(help="Go on with this drill's request, rq_….", callback=an_id)
    ] = "",
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for approvals.")] = 1800,
) -> None:
    """Rehearse a path: ask, wait for approvals, open, use it, close, see it dead.

    The command after `--` uses the credential, e.g. locum drill PATH -- psql -c 'SELECT 1'.
    """
    with errors_explained():
        command = context.args
        if not command:
            raise MalformedInput("No command was given.", "E.g. … -- psql -c 'SELECT 1'")
        raise typer.Exit(_drill(saved_client(), path, resume, wait, command))


def _drill(client: Client, path: str, resume: str, wait: int, command: list[str]) -> int:
    request = resume or _ask(client, path)
    asked = _approved(client, request, wait)
    if asked["state"] != "ready":
        console.print(f"The request is {asked['state']}.", markup=False)
        console.print(f"  Go on later: locum drill {path} --resume {request} -- …", markup=False)
        return 1
    opened = client.post(f"/v1/requests/{request}/activate", {"deliver": False})
    grant = opened["grant"]["id"]
    console.print(f"open      {grant}, {opened['grant']['proof']}", markup=False)
    code = run_command(client, grant, command, keep_open=False)
    console.print(f"used      the command ended with {code}", markup=False)
    dead = _seen_dead(client, grant)
    console.print(f"closed    credential {'dead' if dead else 'NOT YET dead'}", markup=False)
    console.print(f"review    due: locum review {grant} --verdict drill --comment …", markup=False)
    return 0 if code == 0 and dead else 1


def _ask(client: Client, path: str) -> str:
    body = {"path": path, "cause": "drill", "reason": f"scheduled rehearsal of {path}"}
    asked = client.post("/v1/requests", body)
    console.print(f"asked     {asked['id']}", markup=False)
    for need in asked["needs"]:
        console.print(f"needs     {need}", markup=False)
    return str(asked["id"])


def _approved(client: Client, request: str, wait: int) -> Any:
    until = time.monotonic() + wait
    while True:
        asked = client.get(f"/v1/requests/{request}")
        if asked["state"] != "requested" or time.monotonic() > until:
            return asked
        time.sleep(_POLL_SECONDS)


def _seen_dead(client: Client, grant: str) -> bool:
    for _ in range(60):
        try:
            if client.get(f"/v1/grants/{grant}")["dead"]:
                return True
        except LocumError:
            pass
        time.sleep(_POLL_SECONDS / 2)
    return False
