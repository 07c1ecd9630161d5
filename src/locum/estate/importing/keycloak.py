"""Keycloak: a realm's export, with its users' credentials, its flows, its recovery and its clients.

`kc.sh export --realm NAME --users realm_file` writes it. Its flows say what must be presented
(`keycloak_flows`). Where the realm lets people reset a forgotten password, everybody's mailbox is a
way in; where a client takes passwords itself (direct access grants), so is that. WebAuthn counts as
synced, because an export shows no attestation (EVT-4); alone it counts only where it asks for a PIN
or a finger.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.keycloak_flows import UNKNOWN
from locum.estate.importing.keycloak_realm import Realm, administers, read_realm
from locum.estate.importing.listing import records
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import Entry, in_parts
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_METHODS = {
    "password": "password",
    "otp": "totp",
    "webauthn": "passkey-synced",
    "webauthn-passwordless": "passkey-synced",
    "recovery-authn-codes": "saved-recovery-code",
    "x509": "x509-certificate",
    "email": "email-code",
    UNKNOWN: UNKNOWN,
}
_IN_ORDER = {one: at for at, one in enumerate(_METHODS)}
_CLIENT_METHODS = {"client-secret": "api-key", "client-x509": "x509-certificate"}
_USERS, _CLIENTS = ("users",), ("clients",)
_WHAT = "a realm is exported with its users (--users realm_file)"


def read_keycloak(export: Export) -> Generator[Inventory, None, None]:
    """The inventory of a realm, in parts.

    Raises:
        EstateError: it is no realm's export; nothing of it is used.
    """
    realm = read_realm(export, _WHAT)
    provider = root_of("identity-provider", realm.name)
    return in_parts(_identities(export, realm, provider), provider, Position(export.file, 1, 1))


def _identities(export: Export, realm: Realm, provider: str) -> Iterator[Entry]:
    clients: list[Fields] = []
    powerful: set[str] = set()
    for path, one in records(export, _WHAT, _USERS, optional=(_CLIENTS,)):
        if path == _CLIENTS:
            if one.flag("serviceAccountsEnabled"):
                clients.append(one)
        elif of := one.text("serviceAccountClientId"):
            if administers(one, realm):
                powerful.add(of)
        else:
            login = one.needed("username", "A user")
            name = name_of(f"user {login}") if login.startswith("client.") else name_of(login)
            holder = Holder(name, Kind.HUMAN, one.place, privileged=administers(one, realm))
            yield holder, _user_ways(one, name, provider, realm), ()
    for one in clients:
        yield _client(one, provider, powerful)


def _client(client: Fields, provider: str, powerful: set[str]) -> Entry:
    called = client.needed("clientId", "A client")
    name = name_of(f"client.{called}")
    method = _CLIENT_METHODS.get(client.text("clientAuthenticatorType"), UNKNOWN)
    holder = Holder(
        name, Kind.WORKLOAD, client.place, privileged=called in powerful,
        proofing=Proofing.DECLARED_OWNER,
    )  # fmt: skip
    way = Way(
        name, name, Role.PRIMARY, (method,), client.place, {"": (provider,)},
        ends=NEVER if method == "api-key" else None, active=client.flag("enabled", True),
    )  # fmt: skip
    return holder, (way,), ()


def _user_ways(user: Fields, name: str, provider: str, realm: Realm) -> Iterator[Way]:
    active = user.flag("enabled", True)
    has = frozenset(one.needed("type", "A credential") for one in user.each("credentials"))
    sets: dict[str, tuple[tuple[str, ...], str]] = {}
    for one in user.each("federatedIdentities"):
        by = one.needed("identityProvider", "A federated identity")
        sets[f"federated-{name_of(by)}"] = (("federation",), root_of("identity-provider", by))
    for flow in (realm.browser, *realm.direct_grants):
        for presented in realm.flows.sets(flow, has):
            methods = _methods(presented, realm)
            sets.setdefault("-".join(methods), (methods, provider))
    if not has <= _METHODS.keys() or not sets:
        # What no table knows may sign one in alone.
        sets[UNKNOWN] = ((UNKNOWN,), provider)
    for at, (kind, (methods, root)) in enumerate(sets.items()):
        yield Way(
            name if at == 0 else f"{name}/{kind}", name, Role.FOUND if at else Role.PRIMARY,
            methods, user.place, {"": (root,)}, active=active,
        )  # fmt: skip
    email = user.text("email")
    for presented in realm.flows.sets(realm.reset, has) if realm.reset and email else ():
        methods = _methods(presented, realm)
        further = [one for one in methods if one != "email-code"]
        yield Way(
            "-".join((f"{name}/reset", *further)), name, Role.FOUND, methods, user.place,
            {"": (provider,), "email-code": (root_of("mailbox", email),)}, active=active,
        )  # fmt: skip


def _methods(presented: frozenset[str], realm: Realm) -> tuple[str, ...]:
    """Methods of the catalogue; nothing at all is unknown."""
    if presented == {"webauthn"} and not realm.verifies_the_user:
        return (UNKNOWN,)
    ordered = sorted(presented, key=_IN_ORDER.__getitem__)
    return tuple(dict.fromkeys(_METHODS[one] for one in ordered)) or (UNKNOWN,)
