"""OpenBao and Vault: by what one gets in, out of the running server or of its list of mounts.

`bao auth list -format=json` says which methods are on. Besides them there are always a root token,
once somebody makes one, and the keys that unseal or recover the vault; nobody can say from outside
how these are kept, so they stay unknown until `roots` says it.
"""

from __future__ import annotations

from typing import Any

import hvac

from locum.estate.importing.export import Export
from locum.estate.importing.json_text import field, read_json
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
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


def read_vault(export: Export, name: str) -> Inventory:
    """The inventory of a vault, out of `bao auth list -format=json`.

    Raises:
        EstateError: it is no such list; nothing of it is used.
    """
    said = read_json(export.whole(), export.file)
    mounts = said.get("data", said) if isinstance(said, dict) else said
    fits = isinstance(mounts, dict) and all(field(one, "type") for one in mounts.values())
    if not fits or not mounts:
        refuse(
            export.file, "type", "This is no list of authentication methods.",
            "E.g. bao auth list -format=json > auth.json.",
        )  # fmt: skip
    return _inventory(mounts, Position(export.file, 1, 1), name)


def ask_vault(address: str, token: str, name: str) -> Inventory:
    """The inventory of a running vault; the token may read `sys/auth`.

    Raises:
        hvac.exceptions.VaultError: it refuses.
    """
    client = hvac.Client(url=address, token=token, timeout=4)
    answer = client.sys.list_auth_methods()
    return _inventory(answer["data"], Position(address, 1, 1), name)


def _inventory(mounts: dict[str, Any], place: Position, name: str) -> Inventory:
    vault = root_of("vault", name)
    kinds = sorted({field(one, "type") for one in mounts.values()})
    methods = tuple(dict.fromkeys(_METHODS.get(kind, "unknown") for kind in kinds))
    roots = (
        Root(vault, place, tuple(RootWay((one,)) for one in methods)),
        # Said by nobody yet, and so unknown: who holds the shares, and where.
        Root(root_of("custodian", f"unseal-keys-of-{name}"), place),
    )
    identity = name_of(f"{name}-administrator")
    holder = Holder(
        identity, Kind.WORKLOAD, place, privileged=True, proofing=Proofing.DECLARED_OWNER
    )
    resting = {"": (vault,)}
    primary = Way(identity, identity, Role.PRIMARY, ("leased-token",), place, resting)
    root_token = Way(
        f"{identity}/root-token", identity, Role.FOUND, ("api-key",), place,
        {"api-key": (root_of("custodian", f"unseal-keys-of-{name}"),)}, ends=NEVER,
    )  # fmt: skip
    return Inventory((holder,), (primary, root_token), roots)
