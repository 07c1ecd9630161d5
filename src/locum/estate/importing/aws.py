"""AWS IAM: users, keys and roles, out of two exports that every account can make.

`aws iam get-account-authorization-details` says who there is, what they may do and who may take on
which role; `aws iam get-credential-report` says which passwords, second factors and keys there are,
how old, and when they were used last. A role is entered through whoever may take it on; a statement
that cannot be read lets anybody in.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from typing import Any

from locum.estate.importing.csv_table import instant
from locum.estate.importing.export import Export, in_memory
from locum.estate.importing.json_text import field, listed
from locum.estate.importing.listing import objects
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import decoded, refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, RootWay, Seen, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
_UNKNOWN = ("not_supported", "N/A", "no_information", "")
_GROUPS, _ROLES = "GroupDetailList", "RoleDetailList"
_LISTS = ("UserDetailList", _GROUPS, _ROLES)
_LOOKS = 30
"""Seconds, one look each, that AWS has to make its report."""
_REPORT = ("user", "arn", "password_enabled", "mfa_active", "access_key_1_active")


def read_aws(details: Export, report: Export | None = None) -> Inventory:
    """The inventory of an account.

    Args:
        details: JSON of `get-account-authorization-details`.
        report: CSV of the credential report, decoded from base64; without it, what users sign in
            with is unknown.

    Raises:
        EstateError: an export is no such thing; nothing of it is used.
    """
    rows = {} if report is None else dict(_rows(report))
    holders: list[Holder] = []
    ways: list[Way] = []
    groups: dict[str, bool] = {}
    members: list[tuple[str, Position, bool, list[str]]] = []
    roots: dict[str, Root] = {}
    what = "this is not get-account-authorization-details"
    for (key, *_), place, one in objects(details, what, *((key,) for key in _LISTS)):
        if key == _GROUPS:
            groups[field(one, "GroupName")] = _administers(one)
        elif key == _ROLES:
            holder, way = _role(one, place, roots)
            holders.append(holder)
            ways.append(way)
        else:
            name, joined = field(one, "UserName"), [str(of) for of in listed(one, "GroupList")]
            members.append((name, place, _administers(one), joined))
    for name, place, powerful, joined in members:
        at, row = rows.pop(name, (place, None))
        machine = row is not None and row["password_enabled"] != "true"
        holders.append(
            Holder(
                name_of(name), Kind.WORKLOAD if machine else Kind.HUMAN, at,
                privileged=powerful or any(groups.get(of, False) for of in joined),
                proofing=Proofing.DECLARED_OWNER if machine else Proofing.NONE,
            )
        )  # fmt: skip
        ways += _user_ways(name_of(name), row, at)
    for name, (at, row) in rows.items():
        holders.append(Holder(name_of(name), Kind.HUMAN, at, privileged=name == "<root_account>"))
        ways += _user_ways(name_of(name), row, at)
    return Inventory(tuple(holders), tuple(ways), tuple(roots.values()))


def ask_aws(session: Any) -> Inventory:
    """The inventory of an account, asked of AWS; it takes `SecurityAudit` and no more.

    Args:
        session: of boto3, which finds the credentials that the caller has.

    Raises:
        EstateError: the answer is not what it should be.
        TimeoutError: AWS did not make its report in time.
    """
    client = session.client("iam")
    whole: dict[str, list[Any]] = {key: [] for key in _LISTS}
    for page in client.get_paginator("get_account_authorization_details").paginate():
        for key in _LISTS:
            whole[key] += page[key]
    for _ in range(_LOOKS):
        if client.generate_credential_report()["State"] == "COMPLETE":
            break
        time.sleep(1)
    else:
        raise TimeoutError("AWS did not make its credential report in time")
    report = client.get_credential_report()["Content"]
    return read_aws(
        in_memory(json.dumps(whole, default=str).encode(), "aws"),
        in_memory(report, "credential-report"),
    )


def _rows(report: Export) -> Iterator[tuple[str, tuple[Position, dict[str, str]]]]:
    file = report.file
    table = csv.DictReader(decoded(report.whole(), file).splitlines(), strict=True)
    header = table.fieldnames or ()
    missing = [key for key in _REPORT if key not in header]
    if missing:
        refuse(
            file, "missing-key", f"The column `{missing[0]}` is missing; this is no credential "
            "report.", "Decode it: aws iam get-credential-report --query Content --output text "
            "| base64 -d.",
        )  # fmt: skip
    for row in table:
        if None in row or None in row.values():
            refuse(
                file, "value", "The row has not as many fields as the header.",
                "Export it anew; it may have been cut off.", table.line_num,
            )  # fmt: skip
        yield row["user"], (Position(file, table.line_num, 1), row)


def _user_ways(identity: str, row: dict[str, str] | None, place: Position) -> list[Way]:
    if row is None:
        return [Way(identity, identity, Role.PRIMARY, ("unknown",), place)]
    found: list[tuple[str, tuple[str, ...], Seen, Seen]] = []
    if row["password_enabled"] == "true":
        second = ("totp",) if row["mfa_active"] == "true" else ()
        found.append(
            ("console", ("password", *second), _seen(row, "password_last_changed", place),
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


def _administers(holder: dict[str, Any]) -> bool:
    attached = listed(holder, "AttachedManagedPolicies")
    return any(field(policy, "PolicyArn") == _ADMINISTRATOR for policy in attached)


def _role(role: Any, place: Position, roots: dict[str, Root]) -> tuple[Holder, Way]:
    name = f"role-{field(role, 'RoleName')}"
    holder = Holder(
        name_of(name), Kind.WORKLOAD, place, privileged=_administers(role),
        proofing=Proofing.DECLARED_OWNER,
    )  # fmt: skip
    trusted = tuple(dict.fromkeys(_trusted(role.get("AssumeRolePolicyDocument"))))
    for one in trusted:
        if one.startswith("custodian:"):
            roots.setdefault(one, Root(one, place))
        else:
            # An issuer that the account chose to trust; who administers it stands elsewhere.
            roots.setdefault(one, Root(one, place, (RootWay(("federation",)),)))
    way = Way(
        holder.name, holder.name, Role.PRIMARY, ("oidc-workload-token",), place,
        {"": trusted} if trusted else {}, last_used=None,
    )  # fmt: skip
    return holder, way


def _trusted(policy: Any) -> Iterator[str]:
    """Who may take a role on, as roots."""
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        yield root_of("custodian", "anybody")
        return
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        principal = statement.get("Principal")
        if not isinstance(principal, dict):
            yield root_of("custodian", "anybody")
            continue
        for kind, names in principal.items():
            for one in names if isinstance(names, list) else [names]:
                yield _root_of_principal(kind, str(one))


def _root_of_principal(kind: str, name: str) -> str:
    if kind == "Federated":
        return root_of("identity-provider", name.rpartition("provider/")[2])
    if kind == "Service":
        return root_of("authority", name)
    return root_of("custodian", "anybody" if name == "*" else name)
