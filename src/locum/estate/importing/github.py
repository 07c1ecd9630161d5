"""A GitHub organisation: members and their tokens, deploy keys, and what Actions sign in with.

Each part is one answer of GitHub's REST API; what is not given stays unknown. GitHub says who has
no second factor and not which one the others have. A deploy key is a way into its repository beside
the token that Actions mint for each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.instants import instant
from locum.estate.importing.json_text import read_json
from locum.estate.importing.listing import entries
from locum.estate.importing.naming import name_of, root_of
from locum.estate.inventory import NEVER, Holder, Inventory, Quorum, Role, Root, RootWay, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_ISSUER = root_of("identity-provider", "token.actions.githubusercontent.com")
_NAMES_THE_REPOSITORY = frozenset({"repo", "repository", "repository_id"})


class Exports(msgspec.Struct, frozen=True):
    """The answers that there are.

    Args:
        members: of `orgs/ORG/members`.
        owners: of `orgs/ORG/members?role=admin`.
        without_second: of `orgs/ORG/members?filter=2fa_disabled`.
        tokens: of `orgs/ORG/personal-access-tokens` (fine-grained).
        authorizations: of `orgs/ORG/credential-authorizations` (classic tokens, SSH keys).
        keys: by repository, of `repos/ORG/REPO/keys`.
        subjects: by repository, of `repos/ORG/REPO/actions/oidc/customization/sub`.
    """

    members: Export
    owners: Export | None = None
    without_second: Export | None = None
    tokens: Export | None = None
    authorizations: Export | None = None
    keys: tuple[tuple[str, Export], ...] = ()
    subjects: tuple[tuple[str, Export], ...] = ()


def read_github(organisation: str, exports: Exports) -> Inventory:
    """The inventory of an organisation.

    Raises:
        EstateError: an answer is of another kind; nothing of it is used.
    """
    place = Position(exports.members.file, 1, 1)
    owners = _logins(exports.owners)
    logins = {**owners, **_logins(exports.members)}
    single = None if exports.without_second is None else frozenset(_logins(exports.without_second))
    people = tuple(
        Holder(name_of(one), Kind.HUMAN, at, privileged=one in owners) for one, at in logins.items()
    )
    primaries = tuple(
        Way(name_of(one), name_of(one), Role.PRIMARY, _signs_in(one, single), at)
        for one, at in logins.items()
    )
    everybody = Root(
        root_of("custodian", f"members-of-{organisation}"), place,
        administered_by=Quorum(organisation, frozenset(one.name for one in people)),
    )  # fmt: skip
    repositories: dict[str, Position] = {}
    for repository, export in (*exports.subjects, *exports.keys):
        repositories.setdefault(repository, Position(export.file, 1, 1))
    trusted = {one: _subject(export) for one, export in exports.subjects}
    workloads = tuple(
        Holder(name_of(f"repo.{one}"), Kind.WORKLOAD, at, proofing=Proofing.DECLARED_OWNER)
        for one, at in repositories.items()
    )
    ways = [*primaries]
    for one, at in repositories.items():
        ways += _run_ways(
            name_of(f"repo.{one}"), trusted.get(one), everybody.name, organisation, at
        )
    for one, export in exports.keys:
        ways += _deploy_keys(name_of(f"repo.{one}"), export)
    ways += _tokens(exports.tokens)
    ways += _authorizations(exports.authorizations)
    known = {one.name for one in (*people, *workloads)}
    outside = tuple(
        Holder(one.identity, Kind.HUMAN, one.place)
        for one in {one.identity: one for one in ways if one.identity not in known}.values()
    )
    strangers = tuple(
        Way(one.name, one.name, Role.PRIMARY, ("unknown",), one.place) for one in outside
    )
    issuer = Root(_ISSUER, place, (RootWay(("federation",)),))
    return Inventory((*people, *workloads, *outside), (*ways, *strangers), (everybody, issuer))


def _logins(export: Export | None) -> dict[str, Position]:
    """Members, each with where it stands."""
    found: dict[str, Position] = {}
    for one in () if export is None else entries(export, "GitHub lists members so"):
        login = one.needed("login", "A member")
        if login in found:
            one.refuse("duplicate-key", f"`{login[:60]}` stands twice, first in {found[login]}.")
        found[login] = one.place
    return found


def _signs_in(login: str, single: frozenset[str] | None) -> tuple[str, ...]:
    if single is None:
        return ("unknown",)
    return ("password",) if login in single else ("password", "totp")


def _subject(export: Export) -> bool:
    """Whether the subject of a run's token names the repository."""
    place = Position(export.file, 1, 1)
    said = Fields.of(read_json(export.whole(), export.file), place, ("subject",))
    if "use_default" not in said:
        said.refuse(
            "missing-key", "`use_default` is not said here; this is no subject of Actions.",
            "gh api repos/ORG/REPO/actions/oidc/customization/sub.",
        )  # fmt: skip
    keys = said.texts("include_claim_keys")
    return said.flag("use_default") or not _NAMES_THE_REPOSITORY.isdisjoint(keys)


def _run_ways(
    identity: str, names_itself: bool | None, everybody: str, organisation: str, place: Position
) -> Iterator[Way]:
    """By what a repository's runs get in; without a subject of Actions it is unknown."""
    if names_itself is None:
        yield Way(identity, identity, Role.PRIMARY, ("unknown",), place)
        return
    yield Way(identity, identity, Role.PRIMARY, ("oidc-workload-token",), place, {"": (_ISSUER,)})
    if not names_itself:
        yield Way(
            f"{identity}/any-repository", identity, Role.FOUND, ("oidc-workload-token",), place,
            {"": (everybody,)},
            wider=f"all repositories of {organisation} get in: no subject names this one (NHI6)",
        )  # fmt: skip


def _deploy_keys(identity: str, export: Export) -> Iterator[Way]:
    for key in entries(export, "GitHub lists deploy keys so"):
        name = f"{identity}/deploy-key-{_id(key, 'id')}"
        yield Way(
            name, identity, Role.FOUND, ("ssh-key",), key.place,
            owner=key.text("added_by"), created=_day(key, "created_at"), ends=NEVER,
            last_used=_day(key, "last_used"), active=key.flag("enabled", True),
        )  # fmt: skip


def _tokens(export: Export | None) -> Iterator[Way]:
    """Fine-grained tokens; one is at least as old as the organisation's word on it."""
    if export is None:
        return
    for token in entries(export, "GitHub lists fine-grained tokens so"):
        identity = name_of(token.inside("owner").needed("login", "A token"))
        yield Way(
            f"{identity}/token-{_id(token, 'id')}", identity, Role.FOUND, ("api-key",), token.place,
            created=_day(token, "access_granted_at"),
            ends=_day(token, "token_expires_at") or NEVER,
            last_used=_day(token, "token_last_used_at") or NEVER,
            active=not token.flag("token_expired"),
        )  # fmt: skip


def _authorizations(export: Export | None) -> Iterator[Way]:
    """Classic tokens and SSH keys that single sign-on let in."""
    if export is None:
        return
    for one in entries(export, "GitHub lists authorised credentials so"):
        identity = name_of(one.needed("login", "A credential"))
        method = "ssh-key" if one.text("credential_type") == "SSH key" else "api-key"
        yield Way(
            f"{identity}/authorised-{_id(one, 'credential_id')}", identity, Role.FOUND, (method,),
            one.place, created=_day(one, "credential_authorized_at"),
            ends=_day(one, "authorized_credential_expires_at") or NEVER,
            last_used=_day(one, "credential_accessed_at"),
        )  # fmt: skip


def _id(one: Fields, key: str) -> str:
    """GitHub's own number of it, so that another key never gets its name."""
    found = one.number_or_text(key)
    if not found:
        one.refuse("missing-key", f"A credential has no `{key}`.")
    return name_of(found)


def _day(one: Fields, key: str) -> datetime | None:
    value = one.text(key)
    return instant(value, key, one.place.file, one.place.line) if value else None
