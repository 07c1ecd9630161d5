"""AWS IAM: users, keys and roles, out of two exports that every account can make.

`aws iam get-account-authorization-details` says who there is, what they may do and who may take on
which role; `aws iam get-credential-report` says which passwords, second factors and keys there are,
how old, and when they were used last. A role is entered through whoever may take it on
(`aws_policies`). What the report does not say of a password is unknown, and no word that there is
none.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import msgspec

from locum.estate.importing.aws_policies import Trust, allows_anything, trusts
from locum.estate.importing.aws_report import Row, read_report, user_ways
from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.listing import records
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import Entry, in_parts
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
    """What has to be known before anybody's ways are told.

    Args:
        identities: by ARN, the names of users and roles.
        groups: where each is listed.
        powerful: policies, and groups, that let one do anything.
    """

    identities: dict[str, str] = {}
    groups: dict[str, Position] = {}
    powerful: set[str] = set()


def read_aws(details: Export, report: Export | None = None) -> Generator[Inventory, None, None]:
    """The inventory of an account, in parts.

    Args:
        details: JSON of `get-account-authorization-details`, which is read twice.
        report: CSV of the credential report, decoded from base64; without it, what users sign in
            with is unknown.

    Raises:
        EstateError: an export is no such thing; nothing of it is used.
    """
    rows = {} if report is None else read_report(report)
    return in_parts(_entries(details, _account(details), rows))


def _account(details: Export) -> _Account:
    account, policies = _Account(powerful={_ADMINISTRATOR}), dict[str, Position]()
    groups: list[tuple[str, set[str], bool]] = []
    for key, one in _listed(details):
        if key == _USERS:
            account.identities[one.text("Arn")] = _user(one.needed("UserName", "A user"))
        elif key == _ROLES:
            account.identities[one.text("Arn")] = _role(one.needed("RoleName", "A role"))
        elif key == _GROUPS:
            name = one.needed("GroupName", "A group")
            _once(account.groups, name, one)
            groups.append((name, *_may(one)))
        else:
            arn = one.needed("Arn", "A policy")
            _once(policies, arn, one)
            if _is_wide(one):
                account.powerful.add(arn)
    account.identities.pop("", None)
    mighty = {name for name, attached, all_ in groups if all_ or attached & account.powerful}
    account.powerful.update(map(_group, mighty))
    return account


def _listed(details: Export) -> Iterator[tuple[str, Fields]]:
    paths = [(key,) for key in _LISTS]
    for (key, *_), one in records(details, _WHAT, *paths, optional=((_POLICIES,),)):
        yield key, one


def _entries(details: Export, account: _Account, rows: dict[str, Row]) -> Iterator[Entry]:
    for key, one in _listed(details):
        if key == _USERS:
            joined = one.texts("GroupList")
            for group in joined:
                if group not in account.groups:
                    one.refuse("missing-key", f"A user is in `{group[:60]}`, which is not listed.")
            at, row = rows.pop(one.text("UserName"), (one.place, None))
            powerful = _administers(one, account) or any(
                _group(group) in account.powerful for group in joined
            )
            holder = _holder(_user(one.text("UserName")), row, at, powerful)
            yield holder, user_ways(holder.name, row, at), ()
        elif key == _ROLES:
            holder = Holder(
                _role(one.text("RoleName")), Kind.WORKLOAD, one.place,
                privileged=_administers(one, account), proofing=Proofing.DECLARED_OWNER,
            )  # fmt: skip
            roots: dict[str, Root] = {}
            document = one.raw("AssumeRolePolicyDocument")
            trusted = [*dict.fromkeys(trusts(document, account.identities))]
            ways = [*_role_ways(holder.name, trusted, one.place, roots)]
            yield holder, ways, roots.values()
    for name, (at, row) in rows.items():
        holder = _holder(_user(name), row, at, name == _ROOT)
        yield holder, user_ways(holder.name, row, at), ()


def _group(name: str) -> str:
    """A group among policies, whose ARNs have colons."""
    return f"group/{name}"


def _once(listed: dict[str, Position], name: str, one: Fields) -> None:
    first = listed.setdefault(name, one.place)
    if first is not one.place:
        one.refuse("duplicate-key", f"`{name[:80]}` stands twice, first in {first}.")


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


def _administers(holder: Fields, account: _Account) -> bool:
    attached, anything = _may(holder)
    return anything or not account.powerful.isdisjoint(attached)


def _may(holder: Fields) -> tuple[set[str], bool]:
    """The policies that are attached, and whether an inline one allows anything."""
    attached = {
        one.needed("PolicyArn", "A policy") for one in holder.each("AttachedManagedPolicies")
    }
    inline = [one.raw("PolicyDocument") for key in _INLINE for one in holder.each(key)]
    return attached, any(map(allows_anything, inline))


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
