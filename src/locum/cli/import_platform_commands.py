"""`locum import` of GitHub organisations, Okta tenants and BloodHound's graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from locum.cli.import_answer import Opening, Parts, importing
from locum.estate.importing.export import Export
from locum.estate.importing.github import Exports, read_github
from locum.estate.importing.okta import read_okta
from locum.estate.importing.opengraph import read_opengraph
from locum.model.refusal import MalformedInput


@importing
def github(
    opening: Opening,
    organisation: Annotated[str, typer.Argument(help="The organisation's name.")],
    members: Annotated[Path, typer.Option("--members", help="orgs/ORG/members.")],
    owners: Annotated[
        Path | None, typer.Option("--owners", help="orgs/ORG/members?role=admin.")
    ] = None,
    without_second: Annotated[
        Path | None, typer.Option("--without-2fa", help="orgs/ORG/members?filter=2fa_disabled.")
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option("--tokens", help="orgs/ORG/personal-access-tokens.")
    ] = None,
    authorizations: Annotated[
        Path | None,
        typer.Option("--authorizations", help="orgs/ORG/credential-authorizations."),
    ] = None,
    keys: Annotated[
        list[str] | None, typer.Option("--keys", help="REPO=FILE of repos/ORG/REPO/keys.")
    ] = None,
    subjects: Annotated[
        list[str] | None,
        typer.Option("--oidc", help="REPO=FILE of repos/…/actions/oidc/customization/sub."),
    ] = None,
) -> Parts:
    """A GitHub organisation: members, tokens, deploy keys, trust in Actions."""
    yield read_github(
        organisation,
        Exports(
            opening(members),
            opening(owners) if owners else None,
            opening(without_second) if without_second else None,
            opening(tokens) if tokens else None,
            opening(authorizations) if authorizations else None,
            tuple(_named(one, opening) for one in keys or ()),
            tuple(_named(one, opening) for one in subjects or ()),
        ),
    )


@importing
def okta(
    opening: Opening,
    users: Annotated[Path, typer.Argument(help="JSON of /api/v1/users.")],
    factors: Annotated[
        Path | None, typer.Option("--factors", help="JSON: users/ID/factors by user id.")
    ] = None,
    policies: Annotated[
        Path | None, typer.Option("--policies", help="JSON of policies?type=PASSWORD.")
    ] = None,
    roles: Annotated[
        Path | None, typer.Option("--roles", help="JSON: users/ID/roles by user id.")
    ] = None,
) -> Parts:
    """An Okta tenant: users, factors, recovery of passwords, administrators."""
    rest = (factors, policies, roles)
    return read_okta(opening(users), *(None if one is None else opening(one) for one in rest))


@importing
def bloodhound(
    opening: Opening,
    graph: Annotated[Path, typer.Argument(help="An OpenGraph JSON file.")],
    without: Annotated[
        list[str] | None, typer.Option("--without", help="A kind of edge that gives no control.")
    ] = None,
) -> Parts:
    """A graph of BloodHound: who has control of whom."""
    yield read_opengraph(opening(graph), without or ())


def _named(text: str, opening: Opening) -> tuple[str, Export]:
    repository, equals, file = text.partition("=")
    if not (repository and equals and file):
        raise MalformedInput(f"`{text[:60]}` is not REPO=FILE.", "E.g. --keys shop=keys.json.")
    return repository, opening(Path(file))
