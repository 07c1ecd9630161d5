"""`locum cutover`: tell Locum that the new primary was seen in use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import typer

from locum.cli.arguments import CaFile, GrantArg, Json
from locum.cli.client import saved_client
from locum.cli.output import console, errors_explained, show
from locum.cli.workload_client import WorkloadClient
from locum.model.refusal import MalformedInput

_LARGEST = 64 * 1024


def cutover(
    grant: GrantArg,
    seen: Annotated[str, typer.Option(help="What saw it, e.g. `access.log of web-3`.")],
    shown: Annotated[
        Path | None,
        typer.Option(help="The certificate that was seen, PEM or percent-encoded; else stdin."),
    ] = None,
    url: Annotated[str, typer.Option(help="Locum's address, for a guard.")] = "",
    certificate: Annotated[
        Path | None, typer.Option(help="The guard's own certificate, PEM; else your login.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, PEM; it is never sent.")] = None,
    ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """End a rotation: the new certificate was seen in use, and the backup dies.

    A line of an access log will do: nginx writes the client's certificate with
    $ssl_client_escaped_cert.
    """
    with errors_explained():
        body = {"certificate": _pem(shown), "seen": seen}
        show(_told(f"/v1/grants/{grant}/cutover", body, url, certificate, key, ca_file), as_json,
             _print)  # fmt: skip


def _told(
    place: str,
    body: dict[str, str],
    url: str,
    certificate: Path | None,
    key: Path | None,
    ca_file: Path | None,
) -> Any:
    if not url and certificate is None and key is None:
        return saved_client().post(place, body)
    if not url or certificate is None or key is None:
        raise MalformedInput(
            "A guard calls with --url, --certificate and --key.",
            "Name all three; or none, to call with the key of `locum login`.",
        )
    client = WorkloadClient(url, certificate, key, str(ca_file) if ca_file is not None else "")
    try:
        return client.post(place, body)
    finally:
        client.close()


def _pem(shown: Path | None) -> str:
    try:
        text = shown.read_text() if shown is not None else sys.stdin.read(_LARGEST)
    except (OSError, UnicodeDecodeError):
        raise MalformedInput(f"{shown} cannot be read.", "Name a PEM file.") from None
    return unquote(text).strip() + "\n" if "%" in text else text


def _print(grant: Any) -> None:
    console.print(
        f"{grant['id']} is {grant['state']} ({grant['how']}); review due {grant['review_due']}.",
        markup=False,
    )
