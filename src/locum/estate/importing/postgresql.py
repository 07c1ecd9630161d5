"""PostgreSQL: who may log in, by what, out of the running server or of its files.

Roles as CSV of `SELECT rolname, rolsuper, rolcanlogin, rolvaliduntil FROM pg_roles`, and
`pg_hba.conf`. The first line of that file that fits decides, so a later one is no way in; here a
line counts for a role where its user is the role or `all`, whatever database and address, because
somebody sits at each address.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from locum.estate.importing.export import Export
from locum.estate.importing.naming import name_of
from locum.estate.importing.refusing import decoded, refuse
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
_TYPES = ("local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")
_COLUMNS = ("rolname", "rolsuper", "rolcanlogin", "rolvaliduntil")
_ROLES = f"SELECT {', '.join(_COLUMNS)} FROM pg_roles ORDER BY rolname"
_RULES = "SELECT line_number, user_name, auth_method FROM pg_hba_file_rules WHERE error IS NULL"

_Rule = tuple[int, tuple[str, ...], str]
_RoleRow = tuple[str, bool, bool, Seen, int]


def read_postgresql(roles: Export, hba: Export) -> Inventory:
    """The inventory of a server, out of its files.

    Raises:
        EstateError: a file is of another kind; nothing of it is used.
    """
    return _inventory([*_roles(roles)], roles.file, [*_rules(hba)], hba.file)


def ask_postgresql(dsn: str, now: datetime) -> Inventory:
    """The inventory of a running server; it takes a role that may read `pg_hba_file_rules`.

    Args:
        now: aware UTC; what ended before does not work.

    Raises:
        psycopg.Error: the server cannot be asked.
    """
    with psycopg.connect(dsn, connect_timeout=4) as connection:
        roles: list[_RoleRow] = [
            (name, superuser, login, ends or NEVER, at)
            for at, (name, superuser, login, ends) in enumerate(
                connection.execute(_ROLES).fetchall(), 1
            )
        ]
        rules: list[_Rule] = [
            (line, tuple(users), method)
            for line, users, method in connection.execute(_RULES).fetchall()
        ]
    alive = [one for one in roles if one[3] == NEVER or (one[3] is not None and one[3] > now)]
    return _inventory(alive, "pg_roles", rules, "pg_hba.conf")


def _roles(export: Export) -> Iterator[_RoleRow]:
    file = export.file
    table = csv.DictReader(decoded(export.whole(), file).splitlines(), strict=True)
    missing = [one for one in _COLUMNS if one not in (table.fieldnames or ())]
    if missing:
        refuse(
            file, "missing-key", f"The column `{missing[0]}` is missing.",
            f"E.g. psql --csv -c {_ROLES!r}.",
        )  # fmt: skip
    for row in table:
        if None in row.values() or None in row:
            refuse(file, "value", "The row is not whole.", "Export it anew.", table.line_num)
        until = row["rolvaliduntil"]
        ends: Seen = NEVER
        if until not in ("", "infinity"):
            ends = _until(until, file, table.line_num)
        yield (
            row["rolname"],
            row["rolsuper"] == "t",
            row["rolcanlogin"] == "t",
            ends,
            table.line_num,
        )


def _until(text: str, file: str, line: int) -> datetime:
    try:
        padded = text + ":00" if text[-3:-2] in ("+", "-") else text
        found = datetime.fromisoformat(padded)
    except ValueError:
        refuse(file, "value", f"`rolvaliduntil` is no time: {text[:40]}.", "Export it anew.", line)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _rules(export: Export) -> Iterator[_Rule]:
    for line, text in enumerate(decoded(export.whole(), export.file).splitlines(), 1):
        words = text.split("#")[0].split()
        if not words or words[0].startswith("include"):
            continue
        if words[0] not in _TYPES or len(words) < (4 if words[0] == "local" else 5):
            refuse(
                export.file, "form", "This line is no rule.",
                "E.g. `hostssl all all 10.0.0.0/8 scram-sha-256`.", line,
            )  # fmt: skip
        method = words[3] if words[0] == "local" else words[4]
        if method[:1].isdigit():  # an address and its mask stand apart
            method = words[5] if len(words) > 5 else ""
        yield line, tuple(one.strip('"') for one in words[2].split(",")), method


def _inventory(
    roles: list[_RoleRow], roles_file: str, rules: list[_Rule], hba_file: str
) -> Inventory:
    holders: list[Holder] = []
    ways: list[Way] = []
    for role, superuser, login, ends, line in roles:
        if not login:
            continue
        name = name_of(role)
        holders.append(
            Holder(
                name, Kind.WORKLOAD, Position(roles_file, line, 1), privileged=superuser,
                proofing=Proofing.DECLARED_OWNER,
            )
        )  # fmt: skip
        found: dict[str, int] = {}
        for at, users, method in rules:
            if ("all" in users or role in users) and method != "reject":
                found.setdefault(_METHODS.get(method, f"postgresql-{method}"), at)
        # The server's own mechanism for a socket or no proof at all is in no catalogue: unknown.
        for number, (method, at) in enumerate(sorted(found.items(), key=lambda one: one[1])):
            ways.append(
                Way(
                    name if number == 0 else f"{name}/{method}", name,
                    Role.FOUND if number else Role.PRIMARY, (method,), Position(hba_file, at, 1),
                    ends=ends if method == "password" else None,
                )
            )  # fmt: skip
        if not found:
            place = Position(roles_file, line, 1)
            ways.append(Way(name, name, Role.PRIMARY, ("unknown",), place, active=False))
    return Inventory(tuple(holders), tuple(ways), ())
