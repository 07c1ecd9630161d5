"""Roles of OpenBao and Vault: who logs in by each, and how long what they get lives.

A secret ID without an end, and a token that is renewed for ever, never end. A role that asks a
token for no subject, claim or account lets in whomever the issuer vouches for (NHI6).

Source: OpenBao API, `auth/approle`, `auth/jwt`, `auth/kubernetes`, `auth/cert`, `auth/userpass`,
`auth/token`.
"""

from __future__ import annotations

from collections.abc import Mapping

from locum.estate.importing.fields import Fields
from locum.estate.importing.naming import name_of, root_of
from locum.estate.inventory import NEVER, Holder, Role, Root, RootWay, Seen, Way
from locum.model.estate import Kind
from locum.model.strength import Proofing

FOLDERS = {
    "approle": "role",
    "jwt": "role",
    "oidc": "role",
    "kubernetes": "role",
    "userpass": "users",
    "cert": "certs",
    "token": "roles",
}
"""Where a method keeps its roles, by its type."""
Told = tuple[Holder, tuple[Way, ...], Root | None]


def told_by(path: str, role: Fields, types: Mapping[str, str], vault: str) -> Told:
    """An identity with its ways in, out of a role.

    Args:
        path: e.g. `approle/role/ci`.
        types: of the methods that are on, by mount, which ends in a slash.
        vault: what the vault is called.

    Raises:
        EstateError: no method of this vault has such a role.
    """
    at = path.removeprefix("auth/")
    mount = next((one for one in types if at.startswith(one)), "")
    kind = types.get(mount, "")
    folder, _, name = at.removeprefix(mount).partition("/")
    if not mount or not name or FOLDERS.get(kind) != folder:
        role.refuse(
            "value", f"`{path[:60]}` is no role of a method of this vault.",
            "Put each role under its path, e.g. auth/approle/role/ci.",
        )  # fmt: skip
    identity = name_of(f"{vault}.{mount.strip('/')}.{name}")
    human = kind == "userpass" or (kind == "oidc" and role.text("role_type") != "jwt")
    holder = Holder(
        identity, Kind.HUMAN if human else Kind.WORKLOAD, role.place,
        privileged="root" in _texts(role, "token_policies", "allowed_policies"),
        proofing=Proofing.NONE if human else Proofing.DECLARED_OWNER,
    )  # fmt: skip
    issuer = root_of("identity-provider", f"{mount.strip('/')}-of-{vault}")
    vouched = kind in ("jwt", "oidc", "kubernetes")
    resting = {"": (issuer,)} if vouched else {}
    methods, ends, wider = _entered(kind, role)
    ways = [Way(identity, identity, Role.PRIMARY, methods, role.place, resting, ends=ends)]
    if wider:
        ways.append(
            Way(f"{identity}/anybody", identity, Role.FOUND, methods, role.place, resting,
                wider=wider)
        )  # fmt: skip
    if kind != "token" and _is_renewed_for_ever(role):
        ways.append(
            Way(f"{identity}/token", identity, Role.FOUND, ("api-key",), role.place, ends=NEVER)
        )
    root = Root(issuer, role.place, (RootWay(("federation",)),)) if vouched else None
    return holder, tuple(ways), root


def _entered(kind: str, role: Fields) -> tuple[tuple[str, ...], Seen, str]:
    """By what one logs in, when that ends, and why it lets in more than the role names."""
    if kind == "approle":
        if not role.flag("bind_secret_id", True):
            return ("unknown",), NEVER, "it takes no secret ID, so whoever knows its ID gets in"
        return ("api-key",), None if role.number("secret_id_ttl") else NEVER, ""
    if kind == "userpass":
        return ("password",), None, ""
    if kind == "cert":
        return ("x509-certificate",), None, ""
    if kind == "token":
        return ("api-key",), NEVER if _is_renewed_for_ever(role) else None, ""
    wider = "" if _asks_who(kind, role) else "whoever its issuer vouches for gets in (NHI6)"
    if kind == "oidc" and role.text("role_type") != "jwt":
        return ("federation",), None, wider
    return ("oidc-workload-token",), None, wider


def _asks_who(kind: str, role: Fields) -> bool:
    if kind == "kubernetes":
        named = [_texts(role, f"bound_service_account_{one}") for one in ("names", "namespaces")]
        return any(one and "*" not in one for one in named)
    subject = role.text("bound_subject")
    return subject not in ("", "*") or bool([*role.inside("bound_claims")])


def _is_renewed_for_ever(role: Fields) -> bool:
    """Whether tokens live as long as somebody renews them, without an end of their own."""
    period = role.number("token_period") or role.number("period")
    end = role.number("token_explicit_max_ttl") or role.number("explicit_max_ttl")
    return bool(period) and not end and role.text("token_type") != "batch"


def _texts(role: Fields, *keys: str) -> list[str]:
    return [one for key in keys for one in role.texts(key)]
