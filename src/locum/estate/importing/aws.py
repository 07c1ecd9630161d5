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
from locum.estate.importing.aws_report import read_report, user_ways
from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.listing import records
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.told_apart import told_apart
from locum.estate.inventory import Holder, Inventory, Role, Root, RootWay, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_USERS, _GROUPS, _ROLES, _POLICIES = (
    "UserDetailList", "GroupDetailList", "RoleDetailList", "Policies",
)  # fmt: skip
_LISTS = (_USERS, _GROUPS, _ROLES)
_INLINE = ("UserPolicyList", "GroupPolicyList", "RolePolicyList")
_WHAT = "this is not get-account-authorization-details"
_ROOT = "<root_account>"


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
    rows = {} if report is None else read_report(report)
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
        ways += user_ways(holders[-1].name, row, at)
    for name, (at, row) in rows.items():
        holders.append(_holder(_user(name), row, at, name == _ROOT))
        ways += user_ways(holders[-1].name, row, at)
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
            _once(account.groups, one.needed("GroupName", "A group"), one)
        else:
            _once(account.policies, one.needed("Arn", "A policy"), one)
    return account


def _once(listed: dict[str, Fields], name: str, one: Fields) -> None:
    first = listed.setdefault(name, one)
    if first is not one:
        one.refuse("duplicate-key", f"`{name[:80]}` stands twice, first in {first.place}.")


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
