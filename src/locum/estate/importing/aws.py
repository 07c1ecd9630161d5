"""AWS IAM: users, keys and roles, out of two exports that every account can make.

`aws iam get-account-authorization-details` says who there is, what they may do and who may take on
which role; `aws iam get-credential-report` says which passwords, second factors and keys there are,
how old, and when they were used last. A role is entered through whoever may take it on
(`aws_policies`). What the report does not say of a password is unknown, and no word that there is
none.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from locum.estate.importing.aws_policies import Trust, allows_anything, trusts
from locum.estate.importing.csv_rows import named_rows
from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.instants import instant
from locum.estate.importing.listing import records
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.told_apart import told_apart
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, RootWay, Seen, Way
from locum.estate.problem import EstateError, Position, Problem
from locum.model.estate import Kind
from locum.model.strength import Proofing

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_UNKNOWN = ("not_supported", "N/A", "no_information", "")
_USERS, _GROUPS, _ROLES, _POLICIES = (
    "UserDetailList", "GroupDetailList", "RoleDetailList", "Policies",
)  # fmt: skip
_LISTS = (_USERS, _GROUPS, _ROLES)
_INLINE = ("UserPolicyList", "GroupPolicyList", "RolePolicyList")
_WHAT = "this is not get-account-authorization-details"
_REPORT = ("user", "arn", "password_enabled", "mfa_active", "access_key_1_active")
_DECODE = "Decode it: aws iam get-credential-report --query Content --output text | base64 -d."
_ROOT = "<root_account>"
Row = tuple[Position, dict[str, str]]


class _Account(msgspec.Struct, frozen=True):
    """What the details list."""

    users: list[Fields] = []
    roles: list[Fields] = []
    groups: dict[str, Fields] = {}
    policies: dict[str, Fields] = {}


def read_aws(details: Export, report: Export | None = None) -> Inventory:
    """The inventory of an account.

    Args:
        details: JSON of `get-account-authorization-details`.
        report: CSV of the credential report, decoded from base64; without it, what users sign in
            with is unknown.

    Raises:
        EstateError: an export is no such thing; nothing of it is used.
    """
    account = _account(details)
    rows = {} if report is None else _rows(report)
    powerful = {_ADMINISTRATOR, *(arn for arn, one in account.policies.items() if _is_wide(one))}
    groups = {name for name, one in account.groups.items() if _administers(one, powerful)}
    identities = {one.text("Arn"): _user(one.text("UserName")) for one in account.users}
    identities |= {one.text("Arn"): _role(one.text("RoleName")) for one in account.roles}
    identities.pop("", None)
    holders: list[Holder] = []
    ways: list[Way] = []
    roots: dict[str, Root] = {}
    for user in account.users:
        at, row = rows.pop(user.needed("UserName", "A user"), (user.place, None))
        joined = user.texts("GroupList")
        for group in joined:
            if group not in account.groups:
                user.refuse("missing-key", f"A user is in `{group[:60]}`, which is not listed.")
        may_all = _administers(user, powerful) or not groups.isdisjoint(joined)
        holders.append(_holder(_user(user.text("UserName")), row, at, may_all))
        ways += _user_ways(holders[-1].name, row, at)
    for name, (at, row) in rows.items():
        holders.append(_holder(_user(name), row, at, name == _ROOT))
        ways += _user_ways(holders[-1].name, row, at)
    for role in account.roles:
        name = _role(role.needed("RoleName", "A role"))
        holders.append(
            Holder(
                name, Kind.WORKLOAD, role.place, privileged=_administers(role, powerful),
                proofing=Proofing.DECLARED_OWNER,
            )
        )  # fmt: skip
        trusted = [*dict.fromkeys(trusts(role.raw("AssumeRolePolicyDocument"), identities))]
        ways += _role_ways(name, trusted, role.place, roots)
    return told_apart(Inventory(tuple(holders), tuple(ways), tuple(roots.values())))


def _account(details: Export) -> _Account:
    account = _Account()
    paths = [(key,) for key in _LISTS]
    for (key, *_), one in records(details, _WHAT, *paths, optional=((_POLICIES,),)):
        if key == _USERS:
            account.users.append(one)
        elif key == _ROLES:
            account.roles.append(one)
        elif key == _GROUPS:
            account.groups[one.needed("GroupName", "A group")] = one
        else:
            account.policies[one.text("Arn")] = one
    return account


def _user(name: str) -> str:
    """A user's name, which is no role's."""
    return name_of(f"user {name}") if name.startswith("role-") else name_of(name)


def _role(name: str) -> str:
    return name_of(f"role-{name}")


def _holder(name: str, row: dict[str, str] | None, place: Position, privileged: bool) -> Holder:
    machine = row is not None and row["password_enabled"] == "false"
    return Holder(
        name, Kind.WORKLOAD if machine else Kind.HUMAN, place, privileged=privileged,
        proofing=Proofing.DECLARED_OWNER if machine else Proofing.NONE,
    )  # fmt: skip


def _rows(report: Export) -> dict[str, Row]:
    """Each user's row with its place."""
    found: dict[str, Row] = {}
    for line, row in named_rows(report, _REPORT, _DECODE):
        place = Position(report.file, line, 1)
        if row["user"] in found:
            first = found[row["user"]][0]
            problem = Problem(
                place, "duplicate-key", "", "", f"A user stands twice, first in {first}.",
                "Export it anew.", related=first,
            )  # fmt: skip
            raise EstateError((problem,))
        found[row["user"]] = (place, row)
    return found


def _user_ways(identity: str, row: dict[str, str] | None, place: Position) -> list[Way]:
    if row is None:
        return [Way(identity, identity, Role.PRIMARY, ("unknown",), place)]
    found: list[tuple[str, tuple[str, ...], Seen, Seen]] = []
    if row["password_enabled"] != "false":
        # Of the root account AWS may say `not_supported`: nobody knows, and it may well have one.
        password = "password" if row["password_enabled"] == "true" else "unknown"
        second = ("totp",) if row["mfa_active"] == "true" else ()
        found.append(
            ("console", (password, *second), _seen(row, "password_last_changed", place),
             _seen(row, "password_last_used", place))
        )  # fmt: skip
    for number in ("1", "2"):
        if row.get(f"access_key_{number}_active") == "true":
            found.append(
                (f"access-key-{number}", ("api-key",),
                 _seen(row, f"access_key_{number}_last_rotated", place),
                 _seen(row, f"access_key_{number}_last_used_date", place))
            )  # fmt: skip
    if not found:
        return [Way(identity, identity, Role.PRIMARY, ("unknown",), place, active=False)]
    ways = []
    for at, (name, methods, created, used) in enumerate(found):
        ways.append(
            Way(
                identity if at == 0 else f"{identity}/{name}",
                identity,
                Role.PRIMARY if at == 0 else Role.FOUND,
                methods,
                place,
                created=None if created == NEVER else created,
                ends=NEVER if methods == ("api-key",) else None,
                last_used=used,
            )
        )
    return ways


def _seen(row: dict[str, str], key: str, place: Position) -> Seen:
    value = row.get(key, "")
    if value in _UNKNOWN:
        # AWS says N/A of a key that was never used, and no_information of what it does not track.
        return NEVER if value == "N/A" and "used" in key else None
    return instant(value, key, place.file, place.line)


def _is_wide(policy: Fields) -> bool:
    """Whether the version of a policy that is in force allows anything."""
    versions = policy.each("PolicyVersionList")
    return any(
        allows_anything(one.raw("Document")) for one in versions if one.flag("IsDefaultVersion")
    )


def _administers(holder: Fields, powerful: set[str]) -> bool:
    attached = {
        one.needed("PolicyArn", "A policy") for one in holder.each("AttachedManagedPolicies")
    }
    inline = [one.raw("PolicyDocument") for key in _INLINE for one in holder.each(key)]
    return not powerful.isdisjoint(attached) or any(map(allows_anything, inline))


def _role_ways(
    name: str, trusted: list[Trust], place: Position, roots: dict[str, Root]
) -> Iterator[Way]:
    """By whoever may take a role on; what lets in more than that is a way beside."""
    by = tuple(dict.fromkeys(one.by for one in trusted))
    for one in by:
        if one.startswith(("identity-provider:", "authority:")):
            # An issuer that the account chose to trust; who administers it stands elsewhere.
            roots.setdefault(one, Root(one, place, (RootWay(("federation",)),)))
    resting = by
    if len(by) > 1:
        either = root_of("custodian", f"who-may-take-on-{name}")
        roots[either] = Root(either, place, tuple(RootWay(rests_on=(one,)) for one in by))
        resting = (either,)
    yield Way(
        name, name, Role.PRIMARY, ("oidc-workload-token",), place, {"": resting} if by else {},
        active=bool(by),
    )  # fmt: skip
    wider = {one.by: one.wider for one in trusted if one.wider}
    for root, why in wider.items():
        yield Way(
            f"{name}/{name_of(root)}", name, Role.FOUND, ("oidc-workload-token",), place,
            {"": (root,)}, wider=why,
        )  # fmt: skip
