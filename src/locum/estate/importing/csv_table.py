"""CSV for whatever has no importer of its own: a row each way in.

Columns: `identity`, `kind` (human, workload, agent), `role` (primary, found), `method`, and where
known `name`, `owner`, `rests_on` (roots, separated by spaces), `created`, `last_used`, `ends` (ISO
dates; `never`; empty where nobody knows) and `active` (true, false). What was found is called by
`name`, or else by its method and a digest of what tells it from others, so that another secret is
another finding. A method is of the catalogue, or the word `unknown`: a slip would be worth the
least, and a primary of that asks nothing of what stands beside it. A large table is parted by
identity on disk, so that no more than one part is in memory.
"""

from __future__ import annotations

import difflib
import hashlib
import io
from collections.abc import Generator, Iterable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from locum.estate.importing.csv_lines import Row, kept, parted, rows
from locum.estate.importing.export import Export
from locum.estate.importing.instants import instant
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, Seen, Way
from locum.estate.problem import Position
from locum.estate.schema_roots import WHOLE, is_root
from locum.model.estate import Kind
from locum.model.methods import CATALOGUE
from locum.model.strength import Proofing

_TAKEN_AS_THEY_ARE = ("device:", "phone-number:")
_KINDS = {one.value: one for one in Kind}
_UNKNOWN = ("unknown", "federation")
"""Methods that are in no catalogue, and that one may say."""
_ROLES = {"primary": Role.PRIMARY, "found": Role.FOUND}
_ACTIVE = {"": True, "true": True, "false": False}
LARGEST_PART = 4 * 1024 * 1024
"""Bytes of a table, or of a part of one, whose identities are in memory at once."""
T = TypeVar("T")


def read_csv(export: Export) -> Generator[Inventory, None, None]:
    """The inventory of a table: whole where it is small, and else in parts by identity.

    Raises:
        EstateError: a column is missing, or a row does not fit; nothing of it is used.
        OSError: it cannot be read, or there is no space for its parts.
    """
    with io.TextIOWrapper(export.opened(), "utf-8-sig", newline="") as lines:
        table = rows(lines, export.file)
        if export.size <= LARGEST_PART:
            yield _inventory(table, export.file)
            return
        with TemporaryDirectory() as folder:
            parts = parted(table, Path(folder), export.size // LARGEST_PART + 1)
            for part in parts:
                with part.open(encoding="utf-8", newline="") as lines_of_part:
                    yield _inventory(kept(lines_of_part), export.file)
                part.unlink()


def _inventory(rows: Iterable[Row], file: str) -> Inventory:
    holders: dict[str, Holder] = {}
    ways: list[Way] = []
    roots: dict[str, Root] = {}
    for line, row in rows:
        place = Position(file, line, 1)
        holder = _holder(row, place)
        first = holders.setdefault(holder.name, holder)
        if first.kind is not holder.kind:
            refuse(
                file, "value", f"`{holder.name}` is of another kind in line {first.place.line}.",
                "An identity is of one kind.", line,
            )  # fmt: skip
        ways.append(_way(row, holder.name, place))
        for resting in ways[-1].rests_on.values():
            for one in resting:
                if one.startswith(_TAKEN_AS_THEY_ARE):
                    roots.setdefault(one, Root(one, place))
    for lonely in holders.keys() - {one.identity for one in ways if one.role is Role.PRIMARY}:
        refuse(
            file, "missing-key", f"`{lonely}` has no row of role `primary`.",
            "Add one; its method is `unknown` where nobody knows.", holders[lonely].place.line,
        )  # fmt: skip
    return Inventory(tuple(holders.values()), tuple(ways), tuple(roots.values()))


def _holder(row: dict[str, str], place: Position) -> Holder:
    kind = _one_of(row, "kind", _KINDS, place.file, place.line)
    proofing = Proofing.NONE if kind is Kind.HUMAN else Proofing.DECLARED_OWNER
    name = name_of(row["identity"])
    return Holder(name, kind, place, row.get("owner", ""), proofing=proofing)


def _way(row: dict[str, str], identity: str, place: Position) -> Way:
    file, line = place.file, place.line
    role = _one_of(row, "role", _ROLES, file, line)
    methods = tuple(dict.fromkeys(_method(one, file, line) for one in row["method"].split("+")))
    roots = dict.fromkeys(_root(one, file, line) for one in row.get("rests_on", "").split())
    vouching = tuple(one for one in roots if one.startswith(WHOLE))
    others = tuple(one for one in roots if not one.startswith(WHOLE))
    resting = dict.fromkeys(methods, others) if others else {}
    return Way(
        identity if role is Role.PRIMARY else f"{identity}/{_found_name(row, methods)}",
        identity,
        role,
        methods,
        place,
        {"": vouching, **resting} if vouching else resting,
        owner=row.get("owner", ""),
        created=_instant(row, "created", file, line),
        ends=_seen(row, "ends", file, line),
        last_used=_seen(row, "last_used", file, line),
        active=_one_of(row, "active", _ACTIVE, file, line),
    )


def _found_name(row: dict[str, str], methods: tuple[str, ...]) -> str:
    if row.get("name"):
        return name_of(row["name"])
    telling = "\n".join((row["method"], row.get("rests_on", ""), row.get("created", "")))
    return f"{'-'.join(methods)[:40]}-{hashlib.sha256(telling.encode()).hexdigest()[:8]}"


def _method(name: str, file: str, line: int) -> str:
    if name not in CATALOGUE and name not in _UNKNOWN:
        near = difflib.get_close_matches(name, CATALOGUE, 1)
        refuse(
            file, "method", f"`{name[:40]}` is no method of the catalogue.",
            f"Is it `{near[0]}`?" if near else "Write `unknown` for what is in no catalogue.", line,
        )  # fmt: skip
    return name


def _root(text: str, file: str, line: int) -> str:
    kind, _, name = text.partition(":")
    if kind == "identity" and name:
        return name_of(name)
    found = root_of(kind, name)
    if not name or not is_root(found):
        refuse(
            file, "value", f"`{text[:40]}` is no root.",
            "Write its kind and its name, e.g. device:alice-laptop.", line,
        )  # fmt: skip
    return found


def _one_of(row: dict[str, str], key: str, known: dict[str, T], file: str, line: int) -> T:
    value = row.get(key, "").lower()
    found = known.get(value)
    if found is None:
        refuse(
            file, "value", f"`{key}` cannot be `{value[:40]}`.",
            f"Use one of: {', '.join(filter(None, known))}.", line,
        )  # fmt: skip
    return found


def _instant(row: dict[str, str], key: str, file: str, line: int) -> datetime | None:
    value = row.get(key, "")
    if not value:
        return None
    return instant(value, key, file, line)


def _seen(row: dict[str, str], key: str, file: str, line: int) -> Seen:
    value = row.get(key, "")
    return NEVER if value.lower() == NEVER else _instant(row, key, file, line)
