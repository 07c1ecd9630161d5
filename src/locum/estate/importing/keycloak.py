"""Keycloak: a realm's export, with its users' credentials, its recovery and its clients.

`kc.sh export --realm NAME --users realm_file` writes it. Where the realm lets people reset a
forgotten password, everybody's mailbox is a way in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.importing.json_text import field, read_json, texts
from locum.estate.importing.naming import name_of, root_of
from locum.estate.inventory import NEVER, Holder, Inventory, Quorum, Role, Root, Way
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


def read_keycloak(data: bytes, file: str) -> Inventory:
    """The inventory of a realm.

    Raises:
        EstateError: it is no realm's export; nothing of it is used.
    """
    realm = read_json(data, file)
    users = texts(realm, "users", file, "a realm is exported with its users (--users realm_file)")
    place = Position(file, 1, 1)
    provider = root_of("identity-provider", field(realm, "realm") or "realm")
    resets = realm.get("resetPasswordAllowed") is True
    holders: list[Holder] = []
    ways: list[Way] = []
    for user in users:
        if field(user, "serviceAccountClientId"):
            continue
        name = name_of(field(user, "username"))
        holders.append(Holder(name, Kind.HUMAN, place, privileged=_administers(user)))
        ways += _user_ways(user, name, place, provider, resets)
    for client in realm.get("clients") or ():
        if isinstance(client, dict) and client.get("serviceAccountsEnabled") is True:
            name = name_of(f"client.{field(client, 'clientId')}")
            method = _CLIENTS.get(field(client, "clientAuthenticatorType"), "unknown")
            holders.append(Holder(name, Kind.WORKLOAD, place, proofing=Proofing.DECLARED_OWNER))
            ends = NEVER if method == "api-key" else None
            active = client.get("enabled") is not False
            ways.append(
                Way(name, name, Role.PRIMARY, (method,), place, {"": (provider,)}, ends=ends,
                    active=active)
            )  # fmt: skip
    administrators = frozenset(one.name for one in holders if one.privileged)
    root = Root(provider, place, administered_by=Quorum("administrators", administrators))
    return Inventory(tuple(holders), tuple(ways), (root,))


def _administers(user: Any) -> bool:
    roles = [*(user.get("realmRoles") or ())]
    for of in (user.get("clientRoles") or {}).values():
        roles += of
    return not _POWERFUL.isdisjoint(roles)


def _user_ways(user: Any, name: str, place: Position, provider: str, resets: bool) -> Iterator[Way]:
    active = user.get("enabled") is not False
    kinds = dict.fromkeys(field(one, "type") for one in user.get("credentials") or ())
    methods = [_METHODS.get(kind, "unknown") for kind in kinds]
    codes = [one for one in methods if one == "saved-recovery-code"]
    keys = [one for one in methods if one in ("security-key-attested", "passkey-synced")]
    typed = tuple(one for one in methods if one not in (*codes, *keys))
    federated = tuple(
        root_of("identity-provider", field(one, "identityProvider"))
        for one in user.get("federatedIdentities") or ()
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
