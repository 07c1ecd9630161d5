"""Keycloak: a realm's export, with its users' credentials, its recovery and its clients.

`kc.sh export --realm NAME --users realm_file` writes it. Where the realm lets people reset a
forgotten password, everybody's mailbox is a way in.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any

from locum.estate.importing.export import Export
from locum.estate.importing.json_stream import plain_members
from locum.estate.importing.json_text import field, inside, listed
from locum.estate.importing.listing import objects
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import in_parts
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_METHODS = {
    "password": "password",
    "otp": "totp",
    "webauthn": "security-key-attested",
    "webauthn-passwordless": "passkey-synced",
    "recovery-authn-codes": "saved-recovery-code",
}
_CLIENTS = {"client-secret": "api-key", "client-x509": "x509-certificate"}
_POWERFUL = {"admin", "realm-admin"}
_USERS, _CLIENTS_OF = ("users",), ("clients",)
_WHAT = "a realm is exported with its users (--users realm_file)"


def read_keycloak(export: Export) -> Generator[Inventory, None, None]:
    """The inventory of a realm, in parts.

    Raises:
        EstateError: it is no realm's export; nothing of it is used.
    """
    realm = plain_members(export, _WHAT, "realm", "resetPasswordAllowed")
    provider = root_of("identity-provider", field(realm, "realm") or "realm")
    resets = realm.get("resetPasswordAllowed") is True
    return in_parts(_identities(export, provider, resets), provider, Position(export.file, 1, 1))


def _identities(
    export: Export, provider: str, resets: bool
) -> Iterator[tuple[Holder, Iterable[Way]]]:
    for path, place, one in objects(export, _WHAT, _USERS, optional=(_CLIENTS_OF,)):
        if path == _CLIENTS_OF:
            if one.get("serviceAccountsEnabled") is True:
                yield _client(one, provider, place)
        elif not field(one, "serviceAccountClientId"):
            if not field(one, "username"):
                refuse(
                    place.file, "missing-key", "A user has no `username`.", "Export it anew.",
                    place.line, place.column,
                )  # fmt: skip
            name = name_of(field(one, "username"))
            holder = Holder(name, Kind.HUMAN, place, privileged=_administers(one))
            yield holder, _user_ways(one, name, place, provider, resets)


def _client(client: Any, provider: str, place: Position) -> tuple[Holder, Iterable[Way]]:
    name = name_of(f"client.{field(client, 'clientId')}")
    method = _CLIENTS.get(field(client, "clientAuthenticatorType"), "unknown")
    holder = Holder(name, Kind.WORKLOAD, place, proofing=Proofing.DECLARED_OWNER)
    way = Way(
        name, name, Role.PRIMARY, (method,), place, {"": (provider,)},
        ends=NEVER if method == "api-key" else None, active=client.get("enabled") is not False,
    )  # fmt: skip
    return holder, (way,)


def _administers(user: Any) -> bool:
    of_clients = inside(user, "clientRoles")
    roles = [*listed(user, "realmRoles")]
    for client in of_clients:
        roles += listed(of_clients, client)
    return not _POWERFUL.isdisjoint(map(str, roles))


def _user_ways(user: Any, name: str, place: Position, provider: str, resets: bool) -> Iterator[Way]:
    active = user.get("enabled") is not False
    kinds = dict.fromkeys(field(one, "type") for one in listed(user, "credentials"))
    methods = [_METHODS.get(kind, "unknown") for kind in kinds]
    codes = [one for one in methods if one == "saved-recovery-code"]
    keys = [one for one in methods if one in ("security-key-attested", "passkey-synced")]
    typed = tuple(one for one in methods if one not in (*codes, *keys))
    federated = tuple(
        root_of("identity-provider", field(one, "identityProvider"))
        for one in listed(user, "federatedIdentities")
    )
    sets: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        *(("federated", ("federation",), (one,)) for one in federated),
        *((one, (one,), (provider,)) for one in keys),
        *([("typed", typed, (provider,))] if typed else []),
        *(("codes", ("password", one), (provider,)) for one in codes),
    ]
    if not sets:
        sets = [("unknown", ("unknown",), (provider,))]
    for at, (kind, presented, roots) in enumerate(sets):
        yield Way(
            name if at == 0 else f"{name}/{kind}", name, Role.FOUND if at else Role.PRIMARY,
            presented, place, {"": roots}, active=active,
        )  # fmt: skip
    if resets and typed:
        mailbox = root_of("mailbox", field(user, "email") or f"of-{name}")
        yield Way(
            f"{name}/reset", name, Role.FOUND, ("email-code",), place,
            {"": (provider,), "email-code": (mailbox,)}, active=active,
        )  # fmt: skip
