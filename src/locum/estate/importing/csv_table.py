"""CSV for whatever has no importer of its own: a row each way in.

Columns: `identity`, `kind` (human, workload, agent), `role` (primary, found), `method`, and where
known `owner`, `rests_on` (roots, separated by spaces), `created`, `last_used`, `ends` (ISO dates;
`never`; empty where nobody knows) and `active` (true, false). A large table is parted by identity
on disk, so that no more than one part is in memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from zlib import crc32

from locum.estate.importing.export import Export
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, Seen, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

_NEEDED = ("identity", "kind", "role", "method")
_KNOWN = {*_NEEDED, "owner", "rests_on", "created", "last_used", "ends", "active"}
_TAKEN_AS_THEY_ARE = ("device:", "phone-number:")
_KINDS = {one.value: one for one in Kind}
_ROLES = {"primary": Role.PRIMARY, "found": Role.FOUND}
_ACTIVE = {"": True, "true": True, "false": False}
LARGEST_PART = 4 * 1024 * 1024
"""Bytes of a table, or of a part of one, whose identities are in memory at once."""
_MOST_PARTS = 400
"""Files that are open at once."""
Row = tuple[int, dict[str, str]]
"""A row's line, and its fields by column."""
T = TypeVar("T")
_EXAMPLE = "identity,kind,role,method\npayments-api,workload,primary,oidc-workload-token"


def read_csv(export: Export) -> Generator[Inventory, None, None]:
    """The inventory of a table: whole where it is small, and else in parts by identity.

    Raises:
        EstateError: a column is missing, or a row does not fit; nothing of it is used.
        OSError: it cannot be read, or there is no space for its parts.
    """
    with io.TextIOWrapper(export.opened(), "utf-8-sig", newline="") as lines:
        rows = _rows(lines, export.file)
        if export.size <= LARGEST_PART:
            yield _inventory(rows, export.file)
            return
        with TemporaryDirectory() as folder:
            parts = _parted_by_identity(rows, Path(folder), export.size // LARGEST_PART + 1)
            for part in parts:
                with part.open(encoding="utf-8", newline="") as kept:
                    yield _inventory(_kept(kept), export.file)
                part.unlink()


def _parted_by_identity(rows: Iterator[Row], folder: Path, count: int) -> list[Path]:
    """Write the rows of each identity into one of so many files, with their lines."""
    count = min(count, _MOST_PARTS)
    files = [folder / f"{at}.csv" for at in range(count)]
    with ExitStack() as stack:
        parts = [
            csv.writer(stack.enter_context(file.open("w", encoding="utf-8", newline="")))
            for file in files
        ]
        begun = [False] * count
        for line, row in rows:
            at = crc32(row["identity"].encode()) % count
            if not begun[at]:
                parts[at].writerow(("", *row))
                begun[at] = True
            parts[at].writerow((line, *row.values()))
    return [file for at, file in enumerate(files) if begun[at]]


def _kept(lines: Iterable[str]) -> Iterator[Row]:
    table = csv.reader(lines, strict=True)
    _, *header = next(table)
    for line, *row in table:
        yield int(line), dict(zip(header, row, strict=True))


def _inventory(rows: Iterable[Row], file: str) -> Inventory:
    holders: dict[str, Holder] = {}
    ways: list[Way] = []
    roots: dict[str, Root] = {}
    taken: dict[str, int] = {}
    for line, row in rows:
        name, place = name_of(row["identity"]), Position(file, line, 1)
        kind = _one_of(row, "kind", _KINDS, file, line)
        role = _one_of(row, "role", _ROLES, file, line)
        owner = row.get("owner", "")
        if name not in holders:
            proofing = Proofing.NONE if kind is Kind.HUMAN else Proofing.DECLARED_OWNER
            holders[name] = Holder(name, kind, place, owner, proofing=proofing)
        methods = tuple(row["method"].split("+"))
        named = row.get("rests_on", "").split()
        resting = tuple([root_of(*_parted(one, file, line)) for one in named])
        for one in resting:
            if one.startswith(_TAKEN_AS_THEY_ARE):
                roots.setdefault(one, Root(one, place))
        number = taken[name] = taken.get(name, 0) + (role is Role.FOUND)
        ways.append(
            Way(
                name if role is Role.PRIMARY else f"{name}/found-{number}",
                name,
                role,
                methods,
                place,
                dict.fromkeys(methods, resting) if resting else {},
                owner=owner,
                created=_instant(row, "created", file, line),
                ends=_seen(row, "ends", file, line),
                last_used=_seen(row, "last_used", file, line),
                active=_one_of(row, "active", _ACTIVE, file, line),
            )
        )
    return Inventory(tuple(holders.values()), tuple(ways), tuple(roots.values()))


def _rows(lines: Iterable[str], file: str) -> Iterator[Row]:
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
                found = dict(zip(header, [one.strip() for one in row], strict=True))
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


def _one_of(row: dict[str, str], key: str, known: dict[str, T], file: str, line: int) -> T:
    value = row.get(key, "").lower()
    found = known.get(value)
    if found is None:
        refuse(
            file, "value", f"`{key}` cannot be `{value[:40]}`.",
            f"Use one of: {', '.join(filter(None, known))}.", line,
        )  # fmt: skip
    return found


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
        return _parsed(value)
    except ValueError:
        refuse(
            file, "value", f"`{key}` is no date: {value[:40]}.", "E.g. 2026-03-31, or never.", line
        )


@lru_cache(maxsize=1 << 14)
def _parsed(value: str) -> datetime:
    found = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
