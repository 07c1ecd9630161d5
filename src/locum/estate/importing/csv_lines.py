"""The rows of a CSV table with their lines, and such tables parted by identity."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

from locum.estate.importing.refusing import refuse

_NEEDED = ("identity", "kind", "role", "method")
_KNOWN = {*_NEEDED, "name", "owner", "rests_on", "created", "last_used", "ends", "active"}
_MOST_PARTS = 400
"""Files that are open at once."""
Row = tuple[int, dict[str, str]]
"""A row's line, and its fields by column."""
_EXAMPLE = "identity,kind,role,method\npayments-api,workload,primary,oidc-workload-token"


def rows(lines: Iterable[str], file: str) -> Iterator[Row]:
    """The rows of a table.

    Raises:
        EstateError: a column is missing or unknown, or a row is not whole.
    """
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


def parted(table: Iterator[Row], folder: Path, count: int) -> list[Path]:
    """Write the rows of each identity into one of so many files, with their lines."""
    count = min(count, _MOST_PARTS)
    files = [folder / f"{at}.csv" for at in range(count)]
    with ExitStack() as stack:
        parts = [
            csv.writer(stack.enter_context(file.open("w", encoding="utf-8", newline="")))
            for file in files
        ]
        begun = [False] * count
        for line, row in table:
            at = crc32(row["identity"].encode()) % count
            if not begun[at]:
                parts[at].writerow(("", *row))
                begun[at] = True
            parts[at].writerow((line, *row.values()))
    return [file for at, file in enumerate(files) if begun[at]]


def kept(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a part, as `parted` wrote them."""
    table = csv.reader(lines, strict=True)
    _, *header = next(table)
    for line, *row in table:
        yield int(line), dict(zip(header, row, strict=True))


def _check_header(header: list[str], file: str) -> None:
    missing = [key for key in _NEEDED if key not in header]
    odd = [key for key in header if key not in _KNOWN]
    if missing:
        refuse(file, "missing-key", f"The column `{missing[0]}` is missing.", f"E.g. {_EXAMPLE!r}.")
    if odd or len(set(header)) != len(header):
        what = odd[0] if odd else "a column, which stands twice,"
        known = ", ".join(sorted(_KNOWN))
        refuse(file, "unknown-key", f"`{what[:40]}` is no column.", f"Columns are: {known}.")
