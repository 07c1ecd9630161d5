"""Refuse an export that cannot be read: what was expected, and where."""

from __future__ import annotations

from typing import NoReturn

from locum.estate.problem import EstateError, Position, Problem

LARGEST = 256 * 1024 * 1024
"""Bytes of an export that is read as a whole; larger ones go as CSV, which is read row by row."""


def refuse(
    file: str, rule: str, fact: str, remedy: str, line: int = 1, column: int = 1
) -> NoReturn:
    """Raise what is wrong with an export; nothing of it is used.

    What is quoted of it may steer a terminal, so what cannot be printed is not.
    """
    fact = "".join(sign if sign.isprintable() else "?" for sign in fact)
    raise EstateError((Problem(Position(file, line, column), rule, "", "", fact, remedy),))


def decoded(data: bytes, file: str) -> str:
    """The text of an export.

    Raises:
        EstateError: it is too large, or not UTF-8.
    """
    if len(data) > LARGEST:
        refuse(
            file, "file-size", "The export is larger than 256 MiB.",
            "Split it, or bring it as CSV, which is read row by row.",
        )  # fmt: skip
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        refuse(file, "encoding", "The export is not UTF-8.", "Save it as UTF-8.", line)
