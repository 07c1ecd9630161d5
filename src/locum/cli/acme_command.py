"""`locum acme-key`: the key with which an ACME client binds its account to a path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from locum.cli.arguments import CaFile, Json
from locum.cli.output import console, errors_explained
from locum.cli.workload_client import WorkloadClient


def acme_key(
    path: Annotated[str, typer.Argument(help="identity/path, e.g. payments-api/rotation-backup.")],
    url: Annotated[str, typer.Option(help="Locum's address.", envvar="LOCUM_URL")],
    certificate: Annotated[Path, typer.Option(help="The present primary, PEM.")],
    key: Annotated[Path, typer.Option(help="Its key, PEM; it is never sent.")],
    ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """Mint a key, good once and for ten minutes, for certbot, lego, Caddy or cert-manager."""
    with errors_explained():
        trusted = str(ca_file) if ca_file is not None else ""
        client = WorkloadClient(url, certificate, key, trusted)
        try:
            minted = client.post("/v1/acme-keys", {"path": path})
        finally:
            client.close()
        if as_json:
            typer.echo(json.dumps(minted))
            return
        for name, value in (
            ("directory", minted["directory"]),
            ("key identifier", minted["kid"]),
            ("HMAC key", minted["hmac_key"]),
            ("good until", minted["expires_at"]),
        ):
            console.print(f"{name:<15} {value}", markup=False)
        console.print(
            f"certbot register --server {minted['directory']} --eab-kid {minted['kid']} "
            f"--eab-hmac-key {minted['hmac_key']}",
            markup=False,
        )
