"""PostgreSQL: who may log in, by what, out of the running server or of its files.

Roles as CSV of `pg_roles`, and `pg_hba.conf`. The first line of that file that fits decides, so a
later one is no way in; here a line counts for a role where it may be about it, whatever database
and address, because somebody sits at each address. A line about a group may be about every role
where the roles do not say, in a column `memberof`, which groups they are in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import psycopg

from locum.estate.importing.csv_rows import named_rows
from locum.estate.importing.export import Export
from locum.estate.importing.naming import name_of
from locum.estate.importing.pg_hba import Rule, read_rules
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Seen, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_METHODS = {
    "scram-sha-256": "password",
    "md5": "password",
    "password": "password",
    "ldap": "password",
    "radius": "password",
    "pam": "password",
    "cert": "x509-certificate",
}
_COLUMNS = ("rolname", "rolsuper", "rolcanlogin", "rolvaliduntil")
_ROLES = (
    f"SELECT {', '.join(_COLUMNS)}, ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN "
    "pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid) AS memberof FROM pg_roles r "
    "ORDER BY rolname"
)
_TRUTH = {"t": True, "f": False}
_RULES = "SELECT line_number, user_name, auth_method FROM pg_hba_file_rules WHERE error IS NULL"


class _RoleRow(msgspec.Struct, frozen=True):
    """A role; `None` where nobody says which groups it is in."""

    name: str
    superuser: bool
    logs_in: bool
    ends: Seen
    line: int
    groups: tuple[str, ...] | None


def read_postgresql(roles: Export, hba: Export) -> Inventory:
    """The inventory of a server, out of its files.

    Raises:
        EstateError: a file is of another kind; nothing of it is used.
    """
    return _inventory([*_roles(roles)], roles.file, [*read_rules(hba)], hba.file)


def ask_postgresql(dsn: str, now: datetime) -> Inventory:
    """The inventory of a running server; it takes a role that may read `pg_hba_file_rules`.

    Args:
        now: aware UTC; what ended before does not work.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    with psycopg.connect(dsn, connect_timeout=4) as connection:
        roles = [
            _RoleRow(name, superuser, login, ends or NEVER, at, tuple(groups))
            for at, (name, superuser, login, ends, groups) in enumerate(
                connection.execute(_ROLES).fetchall(), 1
            )
        ]
        rules = [
            Rule(line, tuple(users), method)
            for line, users, method in connection.execute(_RULES).fetchall()
        ]
    alive = [one for one in roles if one.ends == NEVER or (one.ends is not None and one.ends > now)]
    return _inventory(alive, "pg_roles", rules, "pg_hba.conf")


def _roles(export: Export) -> Iterator[_RoleRow]:
    for line, row in named_rows(export, _COLUMNS, f"E.g. psql --csv -c {_ROLES!r}."):
        until, groups = row["rolvaliduntil"], row.get("memberof")
        for key in ("rolsuper", "rolcanlogin"):
            if row[key] not in _TRUTH:
                refuse(export.file, "value", f"`{key}` is not t or f.", "Export it anew.", line)
        yield _RoleRow(
            row["rolname"],
            _TRUTH[row["rolsuper"]],
            _TRUTH[row["rolcanlogin"]],
            NEVER if until in ("", "infinity") else _until(until, export.file, line),
            line,
            None if groups is None else tuple(_array(groups)),
        )


def _array(text: str) -> Iterator[str]:
    """The names in an array as PostgreSQL writes it."""
    for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', text):
        yield re.sub(r"\\(.)", r"\1", quoted) or plain


def _until(text: str, file: str, line: int) -> datetime:
    try:
        padded = text + ":00" if text[-3:-2] in ("+", "-") else text
        found = datetime.fromisoformat(padded)
    except ValueError:
        refuse(file, "value", f"`rolvaliduntil` is no time: {text[:40]}.", "Export it anew.", line)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _groups(role: _RoleRow, all_of: dict[str, tuple[str, ...]]) -> set[str] | None:
    """The groups that a role is in, by itself or by another."""
    if role.groups is None:
        return None
    found: set[str] = set()
    beyond = [*role.groups]
    while beyond:
        one = beyond.pop()
        if one not in found:
            found.add(one)
            beyond += all_of.get(one, ())
    return found


def _inventory(
    roles: list[_RoleRow], roles_file: str, rules: list[Rule], hba_file: str
) -> Inventory:
    holders: list[Holder] = []
    ways: list[Way] = []
    all_of = {one.name: one.groups or () for one in roles}
    for role in roles:
        if not role.logs_in:
            continue
        name, groups = name_of(role.name), _groups(role, all_of)
        holders.append(
            Holder(
                name, Kind.WORKLOAD, Position(roles_file, role.line, 1), privileged=role.superuser,
                proofing=Proofing.DECLARED_OWNER,
            )
        )  # fmt: skip
        found: dict[str, int] = {}
        for rule in rules:
            if rule.method != "reject" and rule.is_for(role.name, groups):
                found.setdefault(_METHODS.get(rule.method, f"postgresql-{rule.method}"), rule.line)
        # The server's own mechanism for a socket or no proof at all is in no catalogue: unknown.
        for number, (method, at) in enumerate(sorted(found.items(), key=lambda one: one[1])):
            ways.append(
                Way(
                    name if number == 0 else f"{name}/{method}", name,
                    Role.FOUND if number else Role.PRIMARY, (method,), Position(hba_file, at, 1),
                    ends=role.ends if method == "password" else None,
                )
            )  # fmt: skip
        if not found:
            place = Position(roles_file, role.line, 1)
            ways.append(Way(name, name, Role.PRIMARY, ("unknown",), place, active=False))
    return Inventory(tuple(holders), tuple(ways), ())
