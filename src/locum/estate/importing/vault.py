"""OpenBao and Vault: by what one gets in, out of the running server or of what it lists.

`bao auth list -format=json` says which methods are on; their roles, under their paths, say who
logs in by each and how long their tokens live (`vault_roles`). Besides them there are always a root
token, once somebody makes one, and the keys that unseal or recover the vault; nobody can say from
outside how these are kept, so they stay unknown until `roots` says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import hvac

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.json_stream import members
from locum.estate.importing.json_text import read_json
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
from locum.estate.importing.vault_roles import FOLDERS, told_by
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, RootWay, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_METHODS = {
    "userpass": "password",
    "ldap": "password",
    "radius": "password",
    "approle": "api-key",
    "token": "api-key",
    "cert": "x509-certificate",
    "jwt": "oidc-workload-token",
    "oidc": "oidc-workload-token",
    "kubernetes": "oidc-workload-token",
}
Named = tuple[str, Fields]
"""A role with its path."""


def read_vault(export: Export, name: str, roles: Export | None = None) -> Inventory:
    """The inventory of a vault, out of `bao auth list -format=json`.

    Args:
        roles: the answer of `bao read -format=json PATH` under each role's path.

    Raises:
        EstateError: it is no such list; nothing of it is used.
    """
    said = read_json(export.whole(), export.file)
    mounts = said.get("data", said) if isinstance(said, dict) else said
    place = Position(export.file, 1, 1)
    if not isinstance(mounts, dict) or not mounts:
        refuse(
            export.file, "type", "This is no list of authentication methods.",
            "E.g. bao auth list -format=json > auth.json.",
        )  # fmt: skip
    types = {
        mount: Fields.of(one, place, (mount,)).needed("type", "A method")
        for mount, one in mounts.items()
    }
    return _inventory(types, () if roles is None else _roles(roles), place, name)


def ask_vault(address: str, token: str, name: str) -> Inventory:
    """The inventory of a running vault; the token may read `sys/auth`, and list and read roles.

    Raises:
        hvac.exceptions.VaultError: it refuses.
    """
    client = hvac.Client(url=address, token=token, timeout=4)
    place = Position(address, 1, 1)
    types = {mount: one["type"] for mount, one in client.sys.list_auth_methods()["data"].items()}
    return _inventory(types, _ask_roles(client, types, place), place, name)


def _roles(export: Export) -> Iterator[Named]:
    for path, place, said in members(export, "each role stands under its path"):
        answer = Fields.of(said, place, (path,))
        yield path, answer.inside("data") if "data" in answer else answer


def _ask_roles(client: Any, types: Mapping[str, str], place: Position) -> Iterator[Named]:
    for mount, kind in types.items():
        if kind in FOLDERS:
            folder = f"auth/{mount}{FOLDERS[kind]}"
            there = client.list(folder)
            for role in [] if there is None else there["data"]["keys"]:
                answer = client.read(f"{folder}/{role}")
                if answer is not None:
                    yield f"{folder}/{role}", Fields(answer["data"], place)


def _inventory(
    types: Mapping[str, str], roles: Iterable[Named], place: Position, name: str
) -> Inventory:
    vault = root_of("vault", name)
    methods = dict.fromkeys(_METHODS.get(kind, "unknown") for kind in sorted({*types.values()}))
    unseal = root_of("custodian", f"unseal-keys-of-{name}")
    roots = {
        vault: Root(vault, place, tuple(RootWay((one,)) for one in methods)),
        # Said by nobody yet, and so unknown: who holds the shares, and where.
        unseal: Root(unseal, place),
    }
    identity = name_of(f"{name}-administrator")
    holders = [
        Holder(
            identity, Kind.WORKLOAD, place, privileged=True, proofing=Proofing.DECLARED_OWNER
        )
    ]  # fmt: skip
    ways = [
        Way(identity, identity, Role.PRIMARY, ("leased-token",), place, {"": (vault,)}),
        Way(
            f"{identity}/root-token", identity, Role.FOUND, ("api-key",), place,
            {"api-key": (unseal,)}, ends=NEVER,
        ),
    ]  # fmt: skip
    for path, role in roles:
        holder, its, root = told_by(path, role, types, name)
        holders.append(holder)
        ways += its
        if root is not None:
            roots.setdefault(root.name, root)
    return Inventory(tuple(holders), tuple(ways), tuple(roots.values()))
