"""JSON as exports must be: UTF-8, no key twice, not too deep, whole."""

from __future__ import annotations

import json
from typing import Any

from locum.estate.importing.refusing import decoded, refuse

_DEEPEST = 64


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def read_json(data: bytes, file: str) -> Any:
    """The value of a JSON export.

    Raises:
        EstateError: it is truncated, holds a key twice, or is nested too deep.
    """
    text = decoded(data, file)
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except _TwiceError as error:
        refuse(file, "duplicate-key", f"`{error}` stands twice in one object.", "Export it anew.")
    except json.JSONDecodeError as error:
        refuse(
            file, "yaml", f"This is not JSON: {error.msg}.",
            "Export it anew; it may have been cut off.", error.lineno, error.colno,
        )  # fmt: skip
    except RecursionError:
        refuse(file, "bounds", f"The export is nested deeper than {_DEEPEST}.", "Export it anew.")
    if _deeper_than(found, _DEEPEST):
        refuse(file, "bounds", f"The export is nested deeper than {_DEEPEST}.", "Export it anew.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1)[:40])
    return found


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def texts(holder: Any, key: str, file: str, what: str) -> list[Any]:
    """The list under a key.

    Raises:
        EstateError: the document is of another kind.
    """
    found = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(found, list):
        refuse(file, "missing-key", f"`{key}` is no list here; {what}.", "Name the right export.")
    return found


def field(holder: Any, key: str) -> str:
    """A text under a key; empty where there is none."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, str) else ""


def items(data: bytes, file: str, what: str) -> list[dict[str, Any]]:
    """The objects of an export that is one list, or the lists of its pages in one.

    Args:
        what: what the export should be, for the error.

    Raises:
        EstateError: the document is of another kind.
    """
    found = read_json(data, file)
    if isinstance(found, list) and found and all(isinstance(one, list) for one in found):
        found = [inner for page in found for inner in page]
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        refuse(file, "type", f"This is no list of objects; {what}.", "Name the right export.")
    return found


def inside(holder: Any, *keys: str) -> dict[str, Any]:
    """The object under these keys, one in another; empty where there is none."""
    for key in keys:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) else {}


def listed(holder: Any, key: str) -> list[Any]:
    """The list under a key; empty where there is none."""
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []
