"""CSV for whatever has no importer of its own: a row each way in.

Columns: `identity`, `kind` (human, workload, agent), `role` (primary, found), `method`, and where
known `owner`, `rests_on` (roots, separated by spaces), `created`, `last_used`, `ends` (ISO dates;
`never`; empty where nobody knows) and `active` (true, false). Rows are read one after another.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, Seen, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_NEEDED = ("identity", "kind", "role", "method")
_KNOWN = {*_NEEDED, "owner", "rests_on", "created", "last_used", "ends", "active"}
_TAKEN_AS_THEY_ARE = ("device:", "phone-number:")
_EXAMPLE = "identity,kind,role,method\npayments-api,workload,primary,oidc-workload-token"


def read_csv(lines: Iterable[str], file: str) -> Inventory:
    """The inventory of a table.

    Args:
        lines: the table's lines, as a file yields them.

    Raises:
        EstateError: a column is missing, or a row does not fit; nothing of it is used.
    """
    holders: dict[str, Holder] = {}
    ways: list[Way] = []
    roots: dict[str, Root] = {}
    taken: dict[str, int] = {}
    for line, row in _rows(lines, file):
        name, place = name_of(row["identity"]), Position(file, line, 1)
        kind = _one_of(row, "kind", [one.value for one in Kind], file, line)
        role = _one_of(row, "role", ["primary", "found"], file, line)
        owner = row.get("owner", "")
        proofing = Proofing.NONE if kind == Kind.HUMAN.value else Proofing.DECLARED_OWNER
        if name not in holders:
            holders[name] = Holder(name, Kind(kind), place, owner, proofing=proofing)
        methods = tuple(row["method"].split("+"))
        named = row.get("rests_on", "").split()
        resting = tuple(root_of(*_parted(one, file, line)) for one in named)
        for one in resting:
            if one.startswith(_TAKEN_AS_THEY_ARE):
                roots.setdefault(one, Root(one, place))
        number = taken[name] = taken.get(name, 0) + (role == "found")
        ways.append(
            Way(
                name if role == "primary" else f"{name}/found-{number}",
                name,
                Role.PRIMARY if role == "primary" else Role.FOUND,
                methods,
                place,
                dict.fromkeys(methods, resting) if resting else {},
                owner=owner,
                created=_instant(row, "created", file, line),
                ends=_seen(row, "ends", file, line),
                last_used=_seen(row, "last_used", file, line),
                active=_one_of(row, "active", ["true", "false", ""], file, line) != "false",
            )
        )
    return Inventory(tuple(holders.values()), tuple(ways), tuple(roots.values()))


def _rows(lines: Iterable[str], file: str) -> Iterator[tuple[int, dict[str, str]]]:
    table = csv.reader(lines, strict=True)
    header: list[str] = []
    try:
        for row in table:
            if not header:
                header = [one.strip().lower() for one in row]
                _check_header(header, file)
            elif len(row) != len(header):
                refuse(
                    file, "value", f"The row has {len(row)} fields, the header {len(header)}.",
                    "Mend the row; the file may have been cut off.", table.line_num,
                )  # fmt: skip
            else:
                found = {key: one.strip() for key, one in zip(header, row, strict=True)}
                for key in _NEEDED:
                    if not found[key]:
                        refuse(
                            file, "missing-key", f"`{key}` is empty.", f"E.g. {_EXAMPLE!r}.",
                            table.line_num,
                        )  # fmt: skip
                yield table.line_num, found
    except csv.Error as error:
        refuse(file, "yaml", f"This is not CSV: {error}.", "Mend this row.", table.line_num)
    except UnicodeDecodeError:
        refuse(file, "encoding", "The table is not UTF-8.", "Save it as UTF-8.", table.line_num + 1)
    if not header:
        refuse(file, "empty", "The table is empty.", f"Begin with {_EXAMPLE!r}.")


def _check_header(header: list[str], file: str) -> None:
    missing = [key for key in _NEEDED if key not in header]
    odd = [key for key in header if key not in _KNOWN]
    if missing:
        refuse(file, "missing-key", f"The column `{missing[0]}` is missing.", f"E.g. {_EXAMPLE!r}.")
    if odd or len(set(header)) != len(header):
        what = odd[0] if odd else "a column, which stands twice,"
        known = ", ".join(sorted(_KNOWN))
        refuse(file, "unknown-key", f"`{what[:40]}` is no column.", f"Columns are: {known}.")


def _one_of(row: dict[str, str], key: str, known: list[str], file: str, line: int) -> str:
    value = row.get(key, "").lower()
    if value not in known:
        refuse(
            file, "value", f"`{key}` cannot be `{value[:40]}`.",
            f"Use one of: {', '.join(filter(None, known))}.", line,
        )  # fmt: skip
    return value


def _parted(text: str, file: str, line: int) -> tuple[str, str]:
    kind, colon, name = text.partition(":")
    if not colon:
        refuse(
            file, "value", f"`{text[:40]}` is no root.",
            "Write its kind and its name, e.g. device:alice-laptop.", line,
        )  # fmt: skip
    return kind, name


def _instant(row: dict[str, str], key: str, file: str, line: int) -> datetime | None:
    value = row.get(key, "")
    if not value:
        return None
    return instant(value, key, file, line)


def _seen(row: dict[str, str], key: str, file: str, line: int) -> Seen:
    value = row.get(key, "")
    return NEVER if value.lower() == NEVER else _instant(row, key, file, line)


def instant(value: str, key: str, file: str, line: int) -> datetime:
    """An ISO 8601 date or time, in UTC where it names no zone.

    Raises:
        EstateError: it is none.
    """
    try:
        found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        refuse(
            file, "value", f"`{key}` is no date: {value[:40]}.", "E.g. 2026-03-31, or never.", line
        )
    return found if found.tzinfo else found.replace(tzinfo=UTC)
