"""`locum import`: what is really there, out of exports; checked, stored, or proposed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from locum.cli.estate_commands import bar
from locum.cli.output import FINDINGS, OK, console, errors_explained, show
from locum.estate.checking import of_chart
from locum.estate.graph.chart import chart
from locum.estate.graph.storing import write_chart
from locum.estate.importing.aws import ask_aws, read_aws
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.kubernetes import read_kubernetes
from locum.estate.importing.proposing import propose
from locum.estate.importing.ssh_host import read_ssh_host
from locum.estate.inventory import Inventory
from locum.estate.report import as_json, as_text
from locum.model.refusal import MalformedInput

group = typer.Typer(no_args_is_help=True, help="Read what is really there, out of exports.")
Propose = Annotated[
    Path | None, typer.Option("--propose", help="Write an estate to review and adopt.")
]
Store = Annotated[Path | None, typer.Option("--store", help="Store the graph here, as Parquet.")]
AsData = Annotated[bool, typer.Option("--json", help="Print data.")]
Notes = Annotated[bool, typer.Option("--notes", help="List notes, too.")]


@group.command("csv")
def csv_table(
    table: Annotated[Path, typer.Argument(help="A CSV file; docs/imports.md has its columns.")],
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A table: a row each way in."""
    with errors_explained(), table.open(encoding="utf-8-sig", newline="") as lines:
        inventory = read_csv(lines, str(table))
    answer(inventory, propose_to, store, notes, as_data)


@group.command("aws")
def aws(
    details: Annotated[
        Path | None, typer.Argument(help="JSON of get-account-authorization-details.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="The credential report, as CSV.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask AWS, with the credentials of boto3.")
    ] = False,
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """An AWS account: users, passwords, keys and roles."""
    with errors_explained():
        if live:
            inventory = _ask_aws()
        elif details is not None:
            said = report.read_bytes() if report else None
            inventory = read_aws(details.read_bytes(), str(details), said, str(report))
        else:
            raise MalformedInput("Nothing is named.", "Give the export, or --live.")
    answer(inventory, propose_to, store, notes, as_data)


@group.command("kubernetes")
def kubernetes(
    manifests: Annotated[Path, typer.Argument(help="YAML or JSON of kubectl get … -o yaml.")],
    cluster: Annotated[str, typer.Option("--cluster", help="What the cluster is called.")],
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A Kubernetes cluster: service accounts and their long-lived tokens."""
    with errors_explained():
        inventory = read_kubernetes(manifests.read_bytes(), str(manifests), cluster)
    answer(inventory, propose_to, store, notes, as_data)


@group.command("ssh")
def ssh(
    host: Annotated[str, typer.Argument(help="What the host is called.")],
    keys: Annotated[list[str], typer.Option("--keys", help="ACCOUNT=authorized_keys, repeated.")],
    sshd: Annotated[Path | None, typer.Option("--sshd", help="sshd_config.")] = None,
    sudoers: Annotated[Path | None, typer.Option("--sudoers", help="sudoers.")] = None,
    propose_to: Propose = None,
    store: Store = None,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A host: authorized_keys, sshd_config and sudoers."""
    with errors_explained():
        parts = [one.partition("=") for one in keys]
        inventory = read_ssh_host(
            host,
            [(account, Path(file).read_bytes(), file) for account, _, file in parts],
            None if sshd is None else (sshd.read_bytes(), str(sshd)),
            None if sudoers is None else (sudoers.read_bytes(), str(sudoers)),
        )
    answer(inventory, propose_to, store, notes, as_data)


def _ask_aws() -> Inventory:
    try:
        import boto3  # an extra: locum[aws]
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise MalformedInput("boto3 is not installed.", "pip install locum[aws]") from None
    try:
        return ask_aws(boto3.Session())
    except (BotoCoreError, ClientError) as error:
        raise MalformedInput(
            f"AWS cannot be asked: {type(error).__name__}.",
            "Check the credentials; they need the policy SecurityAudit.",
        ) from None


def answer(
    inventory: Inventory, propose_to: Path | None, store: Path | None, notes: bool, as_data: bool
) -> None:
    """Say what is wrong with what was found, and keep it where asked."""
    now = datetime.now(UTC)
    with errors_explained():
        drawn = chart(inventory)
        with bar("solving the estate") as progress:
            report = of_chart(drawn, now, progress)
        if store is not None:
            write_chart(drawn, store)
        if propose_to is not None:
            propose_to.write_text(propose(inventory))
    show(as_json(report), as_data, lambda _: console.print(as_text(report, notes), markup=False))
    if propose_to is not None and not as_data:
        console.print(f"Proposed: {propose_to}. Review it, then: locum check {propose_to}")
    raise typer.Exit(FINDINGS if report.refused else OK)
