"""The closed vocabulary of argument constraints, and what each allows.

`exact`, `one_of`, `not_one_of`, `range`, `path_prefix`, `glob`, `subset`, `all`, `any`. Type and
value are compared together: `True` is not `1`, and `1` is not `1.0`. Paths are normalised before
they are compared, and a value that hides a separator or a dot behind an escape is refused. There
are no regular expressions. Source: design §4.
"""

from __future__ import annotations

import math
import posixpath
from functools import lru_cache

import msgspec

type_names = {str: "string", int: "integer", float: "number", bool: "boolean"}
Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar]


class Exact(msgspec.Struct, frozen=True, tag="exact", tag_field="kind"):
    """Just this value."""

    value: Scalar


class OneOf(msgspec.Struct, frozen=True, tag="one_of", tag_field="kind"):
    """One of these values."""

    values: tuple[Scalar, ...]


class NotOneOf(msgspec.Struct, frozen=True, tag="not_one_of", tag_field="kind"):
    """Any scalar but these."""

    values: tuple[Scalar, ...]


class Range(msgspec.Struct, frozen=True, tag="range", tag_field="kind"):
    """A number from `low` to `high`, both included; a boolean is no number."""

    low: int | float
    high: int | float


class PathPrefix(msgspec.Struct, frozen=True, tag="path_prefix", tag_field="kind"):
    """An absolute path at or below this one, at a segment's border."""

    prefix: str


class Glob(msgspec.Struct, frozen=True, tag="glob", tag_field="kind"):
    """A text that fits: `*` within a segment, `**` across segments, `?` one character."""

    pattern: str


class Subset(msgspec.Struct, frozen=True, tag="subset", tag_field="kind"):
    """A list whose every element is one of these."""

    values: tuple[Scalar, ...]


class AllOf(msgspec.Struct, frozen=True, tag="all", tag_field="kind"):
    """Every one of these holds."""

    parts: tuple[Constraint, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any", tag_field="kind"):
    """At least one of these holds."""

    parts: tuple[Constraint, ...]


Constraint = Exact | OneOf | NotOneOf | Range | PathPrefix | Glob | Subset | AllOf | AnyOf


def same(left: object, right: object) -> bool:
    """Compare type and value: `True` is not `1`, `1` is not `1.0`."""
    return type(left) is type(right) and left == right


def allows(constraint: Constraint, value: object) -> bool:
    """Tell whether one argument value is allowed.

    Args:
        constraint: a constraint of the closed vocabulary.
        value: the argument as parsed from JSON (duplicate keys already refused).
    """
    match constraint:
        case Exact(wanted):
            return same(value, wanted)
        case OneOf(values):
            return any(same(value, one) for one in values)
        case NotOneOf(values):
            return _is_scalar(value) and not any(same(value, one) for one in values)
        case Range(low, high):
            return is_number(value) and low <= value <= high  # type: ignore[operator]
        case PathPrefix(prefix):
            return isinstance(value, str) and below(normal_path(value), normal_path(prefix))
        case Glob(pattern):
            text = normal_text(value) if isinstance(value, str) else None
            return text is not None and glob_fits(pattern, text)
        case Subset(values):
            return isinstance(value, list) and all(
                any(same(element, one) for one in values) for element in value
            )
        case AllOf(parts):
            return all(allows(part, value) for part in parts)
        case AnyOf(parts):
            return any(allows(part, value) for part in parts)


def is_number(value: object) -> bool:
    """Tell whether `value` is a finite number; booleans are not numbers."""
    return type(value) is int or (isinstance(value, float) and math.isfinite(value))


def _is_scalar(value: object) -> bool:
    return value is None or type(value) in (str, bool) or is_number(value)


def _hides_something(text: str) -> bool:
    lowered = text.lower()
    return (
        "\\" in text
        or any(ord(character) < 0x20 or ord(character) == 0x7F for character in text)
        or any(escape in lowered for escape in ("%2e", "%2f", "%5c", "%00", "%25"))
    )


def normal_path(text: str) -> str | None:
    """Normalise an absolute path; `None` where it is relative, climbs past the root, or hides
    a separator, a dot or a control character behind an escape."""
    if not text.startswith("/") or _hides_something(text):
        return None
    depth = 0
    for segment in text.split("/"):
        if segment == "..":
            depth -= 1
        elif segment not in ("", "."):
            depth += 1
        if depth < 0:
            return None
    return "/" + posixpath.normpath(text).lstrip("/")


def normal_text(text: str) -> str | None:
    """Normalise a text for `glob`: paths as `normal_path`; others may not hide or climb."""
    if text.startswith("/"):
        return normal_path(text)
    if _hides_something(text) or ".." in text.split("/"):
        return None
    return text


def below(path: str | None, prefix: str | None) -> bool:
    """Tell whether a normal path is `prefix` or lies under it; `None` is under nothing."""
    if path is None or prefix is None:
        return False
    return prefix == "/" or path == prefix or path.startswith(prefix + "/")


@lru_cache(maxsize=4096)
def glob_fits(pattern: str, text: str) -> bool:
    """Match a glob against a whole text in time linear in their product.

    Args:
        pattern: `*` matches any run without `/`, `**` any run, `?` one character but `/`.
        text: already normal.
    """
    reachable = {0}
    tokens = glob_tokens(pattern)
    for token in tokens:
        following: set[int] = set()
        covered = 0  # positions below it are in `following` already, so each is added once
        for at in sorted(reachable):
            if token in ("*", "**"):
                end = text.find("/", max(at, covered - 1)) if token == "*" else -1
                stop = (len(text) if end < 0 else end) + 1
                following.update(range(max(at, covered), stop))
                covered = stop
            elif at < len(text) and (text[at] != "/" if token == "?" else text[at] == token):
                following.add(at + 1)
        reachable = following
    return len(text) in reachable


def glob_tokens(pattern: str) -> tuple[str, ...]:
    """Split a glob into `**`, `*`, `?` and single characters."""
    tokens: list[str] = []
    at = 0
    while at < len(pattern):
        token = "**" if pattern.startswith("**", at) else pattern[at]
        tokens.append(token)
        at += len(token)
    return tuple(tokens)
