"""`locum`: every command, named; exit 0 ok, 1 findings or refusal, 2 usage or bad input."""

from __future__ import annotations

import typer

from locum import __version__
from locum.cli import (
    acme_command,
    authority_commands,
    crl_command,
    cutover_command,
    demo_command,
    drill_command,
    estate_commands,
    explain_command,
    generate_command,
    import_commands,
    import_more_commands,
    import_platform_commands,
    ledger_commands,
    path_commands,
    people_commands,
    report_command,
    rotate_command,
    server_commands,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The authority for fallback authentication.",
)
_PASS = {"allow_extra_args": True, "ignore_unknown_options": True}
vault = typer.Typer(no_args_is_help=True, help="Seal secrets.")
vault.command("put")(server_commands.put)

app.command("explain")(explain_command.explain_identity)
for command in (
    server_commands.init,
    server_commands.serve,
    demo_command.demo,
    estate_commands.check,
    report_command.report,
    path_commands.request,
    path_commands.approve,
    path_commands.deny,
    path_commands.activate,
    path_commands.close,
    path_commands.review,
    path_commands.status,
    rotate_command.rotate,
    acme_command.acme_key,
    crl_command.crl,
    cutover_command.cutover,
    people_commands.login,
    people_commands.invite,
    people_commands.keys,
):
    app.command()(command)
app.command(context_settings=_PASS)(path_commands.run)
app.command(context_settings=_PASS)(drill_command.drill)
app.add_typer(ledger_commands.group, name="ledger")
app.add_typer(vault, name="vault")
import_commands.group.command()(import_more_commands.keycloak)
import_commands.group.command()(import_more_commands.entra)
import_commands.group.command()(import_more_commands.postgresql)
import_commands.group.command()(import_more_commands.vault)
import_commands.group.command()(import_platform_commands.github)
import_commands.group.command()(import_platform_commands.okta)
import_commands.group.command()(import_platform_commands.bloodhound)
app.add_typer(import_commands.group, name="import")
app.add_typer(generate_command.group, name="estate")
app.add_typer(authority_commands.group, name="pki")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """The program's entry."""
    app()
