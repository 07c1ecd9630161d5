"""Server-sent events of `GET /v1/revocations`, one line at a time.

A line that begins with a colon is a beat: Locum is there, and everything before it has been told.
An event that cannot be read is an error, never skipped: it could have been a revocation. Source:
HTML Living Standard §9.2.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from locum.model.refusal import MalformedInput

_HEX = re.compile(r"[0-9a-fA-F]{1,40}")


class Beat(msgspec.Struct, frozen=True):
    """Locum is there."""


class Revoked(msgspec.Struct, frozen=True):
    """One certificate was revoked."""

    serial: int


class _Data(msgspec.Struct):
    serial: str


def events(lines: Iterable[str]) -> Iterator[Beat | Revoked]:
    """Give what the lines say.

    Raises:
        MalformedInput: an event cannot be read.
    """
    kind, data = "", ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if kind == "revoked":
                yield Revoked(_serial(data))
            kind, data = "", ""
        elif not name:
            yield Beat()
        elif name == "event":
            kind = value
        elif name == "data":
            data = f"{data}\n{value}" if data else value


def _serial(data: str) -> int:
    try:
        serial = msgspec.json.decode(data, type=_Data).serial
    except (msgspec.MsgspecError, UnicodeError):
        serial = ""
    if not _HEX.fullmatch(serial):
        raise MalformedInput(
            "An event of the revocation stream cannot be read.", "Check who answers for Locum."
        )
    return int(serial, 16)
