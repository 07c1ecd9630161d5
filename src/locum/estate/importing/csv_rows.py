"""CSV that a program wrote: columns by their names, and every row whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator

from locum.estate.importing.export import Export
from locum.estate.importing.refusing import decoded, refuse


def named_rows(
    export: Export, columns: Collection[str], remedy: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by column, each with its line.

    Args:
        columns: those that must be there.
        remedy: how it is exported.

    Raises:
        EstateError: it is no such table, or a row is not whole.
    """
    file = export.file
    table = csv.DictReader(io.StringIO(decoded(export.whole(), file), newline=""), strict=True)
    try:
        for key in columns:
            if key not in (table.fieldnames or ()):
                refuse(file, "missing-key", f"The column `{key}` is missing.", remedy)
        for row in table:
            if None in row or None in row.values():
                refuse(
                    file, "value", "The row has not as many fields as the header.",
                    "Export it anew; it may have been cut off.", table.line_num,
                )  # fmt: skip
            yield table.line_num, row
    except csv.Error as error:
        line = table.line_num
        refuse(file, "yaml", f"This is not CSV: {error}.", "Export it anew.", max(1, line))
