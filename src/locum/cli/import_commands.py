"""`locum import`: what is really there, out of exports; checked, stored, or proposed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from locum.cli.import_answer import Opening, Parts, importing
from locum.estate.importing.aws import read_aws
from locum.estate.importing.aws_live import ask_aws
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.kubernetes import read_kubernetes
from locum.estate.importing.ssh_host import read_ssh_host
from locum.model.refusal import MalformedInput

group = typer.Typer(no_args_is_help=True, help="Read what is really there, out of exports.")


@group.command("csv")
@importing
def csv_table(
    opening: Opening,
    table: Annotated[Path, typer.Argument(help="A CSV file; docs/imports.md has its columns.")],
) -> Parts:
    """A table: a row each way in."""
    return read_csv(opening(table))


@group.command("aws")
@importing
def aws(
    opening: Opening,
    details: Annotated[
        Path | None, typer.Argument(help="JSON of get-account-authorization-details.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="The credential report, as CSV.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask AWS, with the credentials of boto3.")
    ] = False,
) -> Parts:
    """An AWS account: users, passwords, keys and roles."""
    if live:
        yield from _ask_aws()
    elif details is not None:
        yield from read_aws(opening(details), opening(report) if report else None)
    else:
        raise MalformedInput("Nothing is named.", "Give the export, or --live.")


@group.command("kubernetes")
@importing
def kubernetes(
    opening: Opening,
    manifests: Annotated[Path, typer.Argument(help="YAML or JSON of kubectl get … -o yaml.")],
    cluster: Annotated[str, typer.Option("--cluster", help="What the cluster is called.")],
) -> Parts:
    """A Kubernetes cluster: service accounts and their long-lived tokens."""
    yield read_kubernetes(opening(manifests), cluster)


@group.command("ssh")
@importing
def ssh(
    opening: Opening,
    host: Annotated[str, typer.Argument(help="What the host is called.")],
    keys: Annotated[list[str], typer.Option("--keys", help="ACCOUNT=authorized_keys, repeated.")],
    sshd: Annotated[Path | None, typer.Option("--sshd", help="sshd_config.")] = None,
    sudoers: Annotated[Path | None, typer.Option("--sudoers", help="sudoers.")] = None,
    groups: Annotated[Path | None, typer.Option("--groups", help="/etc/group.")] = None,
) -> Parts:
    """A host: authorized_keys, sshd_config and sudoers."""
    yield read_ssh_host(
        host,
        [(account, opening(file)) for account, file in map(_named, keys)],
        *(None if one is None else opening(one) for one in (sshd, sudoers, groups)),
    )


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
