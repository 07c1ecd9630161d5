"""`locum rotate`: a certificate is rotated, and a backup exists just as long as that takes."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from locum.cli.arguments import CaFile, Json
from locum.cli.output import console, errors_explained
from locum.cli.rotation_steps import Plan, Rotation, default_window
from locum.cli.workload_client import WorkloadClient
from locum.model.refusal import MalformedInput


def rotate(
    path: Annotated[
        str,
        typer.Argument(
            metavar="IDENTITY[/PATH]",
            help="E.g. payments-api; with the path where it has several: "
            "payments-api/rotation-backup.",
        ),
    ],
    url: Annotated[str, typer.Option(help="Locum's address.", envvar="LOCUM_URL")],
    certificate: Annotated[Path, typer.Option(help="The present primary, PEM.")],
    key: Annotated[Path, typer.Option(help="Its key, PEM; it is never sent.")],
    backup_dir: Annotated[Path, typer.Option(help="Where the backup and its key go.")],
    reason: Annotated[str, typer.Option(help="Why, for the reviewer.")] = "planned rotation",
    opens: Annotated[str, typer.Option("--from", help="When the window opens; now without.")] = "",
    until: Annotated[str, typer.Option(help="When it ends.")] = "",
    minutes: Annotated[
        int, typer.Option(min=0, help="The window's length without --until; 0: by the schedule.")
    ] = 30,
    with_backup: Annotated[
        str, typer.Option(help="Command that puts the backup in service, e.g. a reload.")
    ] = "",
    replace: Annotated[
        str, typer.Option(help="Command that gets and installs the new primary.")
    ] = "",
    new_certificate: Annotated[
        Path | None, typer.Option(help="The new primary, which tells the cutover by its use.")
    ] = None,
    new_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    wait: Annotated[
        int, typer.Option(min=0, help="Seconds to wait for approval, window and cutover.")
    ] = 1800,
    announce_only: Annotated[
        bool, typer.Option("--announce-only", help="Announce the window, and end.")
    ] = False,
    ca_file: CaFile = None,
    as_json: Json = False,
) -> None:
    """Walk through a rotation: announce, backup, replace, cutover, backup dead, review due.

    Run it again after a crash: it goes on where it was. --json prints one line for each step.
    """
    with errors_explained():
        if (new_certificate is None) != (new_key is None):
            raise MalformedInput(
                "--new-certificate and --new-key go together.", "Name both, or neither."
            )
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        trusted = str(ca_file) if ca_file is not None else ""
        client = WorkloadClient(url, certificate, key, trusted)
        plan = Plan(
            path if "/" in path else _only_path(client, path),
            backup_dir,
            _window(opens, until, minutes),
            reason,
            wait,
            certificate,
            with_backup,
            replace,
            new_certificate,
            new_key,
        )
        rotation = Rotation(
            client, plan, lambda new, its_key: WorkloadClient(url, new, its_key, trusted),
            _teller(as_json),
        )  # fmt: skip
        rotation.announce()
        if announce_only:
            return
        rotation.issue()
        rotation.replace()
        rotation.cut_over()
        rotation.end()


def _only_path(client: WorkloadClient, identity: str) -> str:
    """The one path of an identity that yields backup certificates."""
    found = [
        one["path"]
        for one in client.get("/v1/paths")
        if "backup-certificate" in one["method"] and one["path"].startswith(f"{identity}/")
    ]
    if len(found) != 1:
        several = f"{identity} has several: {', '.join(found)}."
        raise MalformedInput(
            several if found else f"The certificate opens no path of {identity} for a backup.",
            "Name the path, e.g. payments-api/rotation-backup.",
        )
    return str(found[0])


def _window(opens: str, until: str, minutes: int) -> tuple[datetime, datetime] | None:
    if bool(opens) != bool(until):
        raise MalformedInput("`--from` and `--until` go together.", "Name both, or neither.")
    if not opens:
        return default_window(minutes) if minutes else None
    try:
        return datetime.fromisoformat(opens), datetime.fromisoformat(until)
    except ValueError:
        raise MalformedInput(
            "The window's times cannot be read.", "Write them as 2026-12-01T02:00:00Z."
        ) from None


def _teller(as_json: bool) -> Any:
    last = time.monotonic()

    def tell(step: str, words: str, facts: dict[str, Any]) -> None:
        nonlocal last
        took, last = time.monotonic() - last, time.monotonic()
        if as_json:
            sys.stdout.write(json.dumps({"step": step, "seconds": round(took, 3), **facts}) + "\n")
            sys.stdout.flush()
        else:
            console.print(f"✓ {step:<17} {words}  ({took:.1f} s)", markup=False)

    return tell
