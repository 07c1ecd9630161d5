"""A Keycloak realm beside its users: its flows, what it allows, and which roles change others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.json_stream import elements
from locum.estate.importing.keycloak_flows import BY_DEFAULT, Flows, Step, read_flow

_FLOWS, _ACTIONS, _GROUPS, _CLIENTS, _ROLES = (
    ("authenticationFlows",), ("requiredActions",), ("groups",), ("clients",), ("roles", "realm"),
)  # fmt: skip
_BESIDE = (
    "realm", "resetPasswordAllowed", "browserFlow", "directGrantFlow", "resetCredentialsFlow",
    "webAuthnPolicyUserVerificationRequirement",
)  # fmt: skip
_POWERFUL = frozenset({"admin", "realm-admin"})
_MANAGES = frozenset({"realm-admin", "manage-realm", "manage-users", "impersonation"})
"""Roles of the clients that stand for a realm's own administration."""


class Realm(msgspec.Struct, frozen=True):
    """What holds for all users of a realm.

    Args:
        direct_grants: the flow by which clients take passwords themselves, where one does.
        reset: the flow that gives a new password; empty where there is none.
        verifies_the_user: whether WebAuthn asks for a PIN or a finger.
        powerful: realm roles that may change other identities.
        groups: by path, whether whoever is in it has such a role.
    """

    name: str
    flows: Flows
    browser: str
    direct_grants: tuple[str, ...]
    reset: str
    verifies_the_user: bool
    powerful: frozenset[str]
    groups: Mapping[str, bool]


def read_realm(export: Export, what: str) -> Realm:
    """Everything of a realm but its users and clients.

    Args:
        what: what the export should be, for the error.

    Raises:
        EstateError: it is no realm's export.
    """
    flows: dict[str, list[Step]] = {}
    off: set[str] = set()
    lists: dict[tuple[str, ...], list[Fields]] = {_GROUPS: [], _ROLES: []}
    beside: dict[str, Fields] = {}
    direct = False
    wanted = (_FLOWS, _ACTIONS, _GROUPS, _CLIENTS, _ROLES)
    for path, place, value in elements(export, what, optional=wanted, beside=_BESIDE):
        if path not in wanted:
            beside[path[0]] = Fields({path[0]: value}, place)
            continue
        one = Fields.of(value, place, path)
        if path == _FLOWS:
            alias, steps = read_flow(one)
            flows[alias] = steps
        elif path == _ACTIONS and not one.flag("enabled", True):
            off.add(one.needed("alias", "A required action"))
        elif path == _CLIENTS:
            direct |= one.flag("directAccessGrantsEnabled") and one.flag("enabled", True)
        elif path in lists:
            lists[path].append(one)

    def text(key: str) -> str:
        return beside[key].text(key) if key in beside else ""

    resets = "resetPasswordAllowed"
    powerful = _closed(lists[_ROLES])
    return Realm(
        text("realm") or "realm",
        Flows(flows or BY_DEFAULT, frozenset(off)),
        text("browserFlow") or "browser",
        (text("directGrantFlow") or "direct grant",) if direct else (),
        (text("resetCredentialsFlow") or "reset credentials")
        if resets in beside and beside[resets].flag(resets)
        else "",
        text("webAuthnPolicyUserVerificationRequirement") == "required",
        powerful,
        dict(_groups(lists[_GROUPS], powerful)),
    )


def administers(holder: Fields, realm: Realm) -> bool:
    """Whether a user has a role that may change other identities, by itself or by a group.

    Raises:
        EstateError: the user is in a group that the realm does not list.
    """
    by_group = False
    for path in holder.texts("groups"):
        if path not in realm.groups:
            holder.refuse("missing-key", f"A user is in `{path[:60]}`, which is not listed.")
        by_group |= realm.groups[path]
    return by_group or _has_power(holder, realm.powerful)


def _has_power(holder: Fields, powerful: frozenset[str]) -> bool:
    of_clients = holder.inside("clientRoles")
    return not powerful.isdisjoint(holder.texts("realmRoles")) or any(
        _manages(client, of_clients.texts(client)) for client in of_clients
    )


def _manages(client: str, roles: list[str]) -> bool:
    """Whether a client's roles administer a realm; of any client `realm-admin` does."""
    own = client == "realm-management" or client.endswith("-realm")
    return not (_MANAGES if own else _POWERFUL).isdisjoint(roles)


def _closed(roles: list[Fields]) -> frozenset[str]:
    """Powerful realm roles, and all that are made up of one."""
    powerful = set(_POWERFUL)
    parts: dict[str, list[str]] = {}
    for role in roles:
        of, name = role.inside("composites"), role.needed("name", "A role")
        parts[name] = of.texts("realm")
        of_clients = of.inside("client")
        if any(_manages(client, of_clients.texts(client)) for client in of_clients):
            powerful.add(name)
    more = True
    while more:
        found = {name for name, of in parts.items() if not powerful.isdisjoint(of)} - powerful
        powerful |= found
        more = bool(found)
    return frozenset(powerful)


def _groups(
    groups: list[Fields], powerful: frozenset[str], above: str = "", inherited: bool = False
) -> Iterator[tuple[str, bool]]:
    """Paths of groups, and whether each has a powerful role, or is in one that has."""
    for group in groups:
        path = group.text("path") or f"{above}/{group.needed('name', 'A group')}"
        has = inherited or _has_power(group, powerful)
        yield path, has
        yield from _groups(group.each("subGroups"), powerful, path, has)
