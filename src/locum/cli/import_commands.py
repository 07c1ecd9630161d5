"""`locum import`: what is really there, out of exports; checked, stored, or proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from locum.cli.import_answer import (
    AsData,
    NoCheck,
    Notes,
    Opening,
    Parts,
    ProposeTo,
    StoreIn,
    answer,
)
from locum.estate.importing.aws import read_aws
from locum.estate.importing.aws_live import ask_aws
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.kubernetes import read_kubernetes
from locum.estate.importing.ssh_host import read_ssh_host
from locum.model.refusal import MalformedInput

group = typer.Typer(no_args_is_help=True, help="Read what is really there, out of exports.")


@group.command("csv")
def csv_table(
    table: Annotated[Path, typer.Argument(help="A CSV file; docs/imports.md has its columns.")],
    propose_to: ProposeTo = None,
    store_in: StoreIn = None,
    no_check: NoCheck = False,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A table: a row each way in."""
    answer(lambda opening: read_csv(opening(table)), propose_to, store_in, notes, as_data, no_check)


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
    propose_to: ProposeTo = None,
    store_in: StoreIn = None,
    no_check: NoCheck = False,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """An AWS account: users, passwords, keys and roles."""

    def read(opening: Opening) -> Parts:
        if live:
            yield from _ask_aws()
        elif details is not None:
            yield from read_aws(opening(details), opening(report) if report else None)
        else:
            raise MalformedInput("Nothing is named.", "Give the export, or --live.")

    answer(read, propose_to, store_in, notes, as_data, no_check)


@group.command("kubernetes")
def kubernetes(
    manifests: Annotated[Path, typer.Argument(help="YAML or JSON of kubectl get … -o yaml.")],
    cluster: Annotated[str, typer.Option("--cluster", help="What the cluster is called.")],
    propose_to: ProposeTo = None,
    store_in: StoreIn = None,
    no_check: NoCheck = False,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A Kubernetes cluster: service accounts and their long-lived tokens."""

    def read(opening: Opening) -> Parts:
        yield read_kubernetes(opening(manifests), cluster)

    answer(read, propose_to, store_in, notes, as_data, no_check)


@group.command("ssh")
def ssh(
    host: Annotated[str, typer.Argument(help="What the host is called.")],
    keys: Annotated[list[str], typer.Option("--keys", help="ACCOUNT=authorized_keys, repeated.")],
    sshd: Annotated[Path | None, typer.Option("--sshd", help="sshd_config.")] = None,
    sudoers: Annotated[Path | None, typer.Option("--sudoers", help="sudoers.")] = None,
    groups: Annotated[Path | None, typer.Option("--groups", help="/etc/group.")] = None,
    propose_to: ProposeTo = None,
    store_in: StoreIn = None,
    no_check: NoCheck = False,
    notes: Notes = False,
    as_data: AsData = False,
) -> None:
    """A host: authorized_keys, sshd_config and sudoers."""

    def read(opening: Opening) -> Parts:
        yield read_ssh_host(
            host,
            [(account, opening(file)) for account, file in map(_named, keys)],
            *(None if one is None else opening(one) for one in (sshd, sudoers, groups)),
        )

    answer(read, propose_to, store_in, notes, as_data, no_check)


def _named(text: str) -> tuple[str, Path]:
    account, equals, file = text.partition("=")
    if not (account and equals and file):
        raise MalformedInput(f"`{text[:60]}` is not ACCOUNT=FILE.", "E.g. --keys root=root.keys.")
    return account, Path(file)


def _ask_aws() -> Parts:
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
