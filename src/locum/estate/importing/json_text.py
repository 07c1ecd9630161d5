"""JSON as exports must be: UTF-8, no key twice, not too deep, whole."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from locum.estate.importing.refusing import decoded, refuse

_DEEPEST = 64


class TwiceError(ValueError):
    """A key stands twice in one object."""


class NotJsonError(ValueError):
    """Something stands there that Python takes and JSON does not know."""


def read_json(data: bytes, file: str) -> Any:
    """The value of a JSON export.

    Raises:
        EstateError: it is truncated, holds a key twice, or is nested too deep.
    """
    text = decoded(data, file)
    try:
        found = json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
    except TwiceError as error:
        refuse(file, "duplicate-key", f"`{error}` stands twice in one object.", "Export it anew.")
    except json.JSONDecodeError as error:
        refuse(
            file, "yaml", f"This is not JSON: {error.msg}.",
            "Export it anew; it may have been cut off.", error.lineno, error.colno,
        )  # fmt: skip
    except NotJsonError as error:
        refuse(file, "yaml", f"This is not JSON: {error}.", "Export it anew.")
    except ValueError:
        refuse(file, "bounds", "A number has too many digits.", "Export it anew.")
    except RecursionError:
        refuse(file, "bounds", f"The export is nested deeper than {_DEEPEST}.", "Export it anew.")
    if has_half_a_character(text, found, 0, len(text)):
        refuse(file, "encoding", "A text here holds half a character.", "Export it anew.")
    if _deeper_than(found, _DEEPEST):
        refuse(file, "bounds", f"The export is nested deeper than {_DEEPEST}.", "Export it anew.")
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these pairs.

    Raises:
        TwiceError: a key stands twice.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise TwiceError(next(key for key in keys if keys.count(key) > 1)[:40])
    return found


def no_constant(word: str) -> NoReturn:
    """Refuse `NaN` and infinities.

    Raises:
        NotJsonError: always.
    """
    raise NotJsonError(f"`{word}` is no value")


def has_half_a_character(text: str, value: Any, start: int, end: int) -> bool:
    """Whether a text in a value is none that could be written down: JSON can escape such.

    Args:
        text: where the value was read, from `start` to before `end`.
    """
    if text.find("\\ud", start, end) < 0 and text.find("\\uD", start, end) < 0:
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


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
