"""`request`, `approve`, `deny`, `activate`, `run`, `close`, `review`, `status`: a path's life."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Annotated, Any

import typer

from locum.cli.arguments import GrantArg, Json, RequestArg
from locum.cli.client import Client, saved_client
from locum.cli.output import console, errors_explained, fail, show, table
from locum.model.cause import Cause
from locum.model.refusal import LocumError, MalformedInput
from locum.model.request import Verdict


def request(
    path: Annotated[str, typer.Argument(help="identity/path, e.g. orders-db-admin/break-glass.")],
    cause: Annotated[
        Cause,
        typer.Option(
            help="Why the normal way cannot be used; the path names those that it opens for."
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, for the approvers and the reviewer.")],
    incident: Annotated[
        str | None, typer.Option(help="The incident, e.g. INC-7; some causes need one.")
    ] = None,
    opens: Annotated[
        str, typer.Option("--from", help="When a planned rotation opens, RFC 3339.")
    ] = "",
    until: Annotated[str, typer.Option(help="When it ends; both or, by the schedule, none.")] = "",
    as_json: Json = False,
) -> None:
    """Ask that a path be opened; announce a planned rotation with --from and --until."""
    with errors_explained():
        body: dict[str, Any] = {"path": path, "cause": cause.value, "reason": reason}
        if incident is not None:
            body["evidence"] = {"incident": incident}
        if bool(opens) != bool(until):
            raise MalformedInput(
                "`--from` and `--until` go together.",
                "E.g. --from 2026-12-01T02:00:00Z --until 2026-12-01T02:30:00Z",
            )
        if opens:
            body["evidence"] = {"window": {"from": opens, "until": until}}
        show(saved_client().post("/v1/requests", body), as_json, _show_request)


def approve(
    request_id: RequestArg,
    comment: Annotated[str, typer.Option(help="For the record.")] = "",
    digest: Annotated[
        str, typer.Option(help="Approve only if the request has this digest, as you were told it.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Approve exactly what a request asks; shows it first."""
    _decide("approve", request_id, comment, digest, as_json)


def deny(
    request_id: RequestArg,
    comment: Annotated[str, typer.Option(help="For the record.")] = "",
    as_json: Json = False,
) -> None:
    """Deny a request. Whoever asked withdraws their own request with this, too."""
    _decide("deny", request_id, comment, "", as_json)


def activate(
    request_id: RequestArg,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Print the secret on this screen.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Open the path. The credential stays where it is until `locum run` takes it."""
    with errors_explained():
        answer = saved_client().post(f"/v1/requests/{request_id}/activate", {"deliver": reveal})

        def words(found: Any) -> None:
            grant = found["grant"]
            console.print(f"Open: {grant['id']} until {grant['ends_at']}.", markup=False)
            if found["credential"] is not None:
                for name, value in found["credential"]["inject"].items():
                    sys.stdout.write(f"{name}={value}\n")
            else:
                console.print(f"Use it: locum run {grant['id']} -- COMMAND", markup=False)

        show(answer, as_json, words)


def run(
    context: typer.Context,
    grant_id: GrantArg,
    keep_open: Annotated[
        bool, typer.Option("--keep-open", help="Leave the grant open when the command ends.")
    ] = False,
) -> None:
    """Run a command with the secret in its environment; close the grant when it ends.

    The secret is on no screen, in no file and on no command line: locum run GRANT -- psql
    """
    with errors_explained():
        command = context.args
        if not command:
            raise MalformedInput("No command was given.", "E.g. locum run gr_… -- psql")
        raise typer.Exit(run_command(saved_client(), grant_id, command, keep_open=keep_open))


def run_command(client: Client, grant_id: str, command: list[str], *, keep_open: bool) -> int:
    """Take the grant's credential, run the command with it, close the grant; gives its exit code.

    Raises:
        LocumError: the credential cannot be taken, or the grant cannot be closed.
    """
    answer = client.post(f"/v1/grants/{grant_id}/credential")
    environment = os.environ | answer["credential"]["inject"]
    del answer
    try:
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            done = subprocess.run(
                command,
                env=environment,
                check=False,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            code = done.returncode
        finally:
            signal.signal(signal.SIGINT, previous)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        code = 127
    finally:
        if not keep_open:
            client.post(f"/v1/grants/{grant_id}/close", {"how": "used-up", "reason": "run ended"})
    return code if code >= 0 else 128 - code


def close(
    grant_id: GrantArg,
    reason: Annotated[str, typer.Option(help="For the record.")] = "",
    leaked: Annotated[
        bool, typer.Option("--leaked", help="Others know the credential; kept on the record.")
    ] = False,
    as_json: Json = False,
) -> None:
    """End a grant now: its credential is made useless, its sessions are ended."""
    with errors_explained():
        how = "leaked" if leaked else "revoked"
        answer = saved_client().post(f"/v1/grants/{grant_id}/close", {"how": how, "reason": reason})
        show(answer, as_json, show_grant)


def review(
    grant_id: GrantArg,
    verdict: Annotated[Verdict, typer.Option(help="What the use turned out to be.")],
    comment: Annotated[str, typer.Option(help="What was allowed, and what was done.")],
    as_json: Json = False,
) -> None:
    """Judge a closed grant, which unblocks its path."""
    with errors_explained():
        body = {"verdict": verdict.value, "comment": comment}
        show(saved_client().post(f"/v1/grants/{grant_id}/review", body), as_json, show_grant)


def status(
    path: Annotated[str | None, typer.Option(help="Only this path.")] = None,
    as_json: Json = False,
) -> None:
    """Show paths, requests, grants, and what is wrong now."""
    with errors_explained():
        client = saved_client()
        found = {
            "paths": client.get("/v1/paths"),
            "requests": client.get("/v1/requests", path=path, limit=20)["items"],
            "grants": client.get("/v1/grants", path=path, limit=20)["items"],
            "findings": client.get("/v1/findings"),
        }
        if path is not None:
            found["paths"] = [one for one in found["paths"] if one["path"] == path]
            found["findings"] = [one for one in found["findings"] if one["path"] == path]
            if not any(found.values()):
                raise MalformedInput(f"There is no path {path!r}.", "`locum status` lists them.")
        show(found, as_json, _show_status)


def show_grant(grant: Any) -> None:
    """Print a grant."""
    dead = "dead" if grant["dead"] else "not yet dead"
    console.print(f"{grant['id']}  {grant['path']}  {grant['state']}", markup=False)
    if grant["how"]:
        console.print(f"  {grant['how']} at {grant['closed_at']}; credential {dead}", markup=False)
    if grant["state"] == "closed":
        console.print(f"  review due until {grant['review_due']}", markup=False)


def _decide(decision: str, request_id: str, comment: str, digest: str, as_json: bool) -> None:
    with errors_explained():
        client = saved_client()
        asked = client.get(f"/v1/requests/{request_id}")
        if not as_json:
            _show_request(asked)
        body = {"decision": decision, "digest": digest or asked["digest"], "comment": comment}
        try:
            answer = client.post(f"/v1/requests/{request_id}/approvals", body)
        except LocumError as error:
            fail(error)
        show(answer, as_json, lambda found: console.print(f"Now {found['state']}."))


def _show_request(found: Any) -> None:
    console.print(f"{found['id']}  {found['path']}  {found['state']}", markup=False)
    incident = f" ({found['incident']})" if found["incident"] else ""
    console.print(
        f"  {found['requester']}: {found['cause']}{incident}, {found['reason']}", markup=False
    )
    console.print(f"  digest {found['digest']}", markup=False)
    for need in found["needs"]:
        console.print(f"  needs {need}", markup=False)


def _show_status(found: Any) -> None:
    console.print("paths", style="bold")
    table(
        ["path", "causes", "until", "blocked by"],
        [
            [one["path"], " ".join(one["causes"]), one["until"][:10], " ".join(one["blocked_by"])]
            for one in found["paths"]
        ],
    )
    console.print("\nrequests and grants", style="bold")
    table(
        ["request", "grant", "path", "state", "by"],
        [
            [one["id"], one["grant"] or "", one["path"], one["state"], one["requester"]]
            for one in found["requests"]
        ],
    )
    console.print("\nfindings", style="bold")
    table(
        ["severity", "path", "law", "fact", "what to do"],
        [
            [one["severity"], one["path"], str(one["law"]), one["fact"], one["remedy"]]
            for one in found["findings"]
        ],
    )
