"""The forms that single values of an estate take, as JSON Schema.

`title` says what is expected in words that follow "must be"; `description` says what the field
means; `examples` are shown by editors and by our errors. So each is written once.
"""

from __future__ import annotations

from typing import Any

from locum.model.names import NAME_PATTERN

Schema = dict[str, Any]
_SPAN = "[1-9][0-9]{0,5}[smhd]"


def _form(title: str, pattern: str, example: str, **more: Any) -> Schema:
    return {"type": "string", "title": title, "pattern": pattern, "examples": [example], **more}


NAME = _form(
    "a name (1-63 of a-z, 0-9, `.`, `_`, `-`, with a letter or digit at both ends)",
    NAME_PATTERN,
    "payments-api",
)
DURATION = _form("a duration above zero (a whole number and s, m, h or d)", f"^{_SPAN}$", "20m")
DURATION_OR_ZERO = _form("a duration (a whole number and s, m, h or d)", f"^(0s|{_SPAN})$", "24h")
INSTANT = _form(
    "a day, which counts to its end in UTC, or an RFC 3339 time",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2}))?$",
    "2027-06-30",
)
URL = _form(
    "an HTTPS URL, or an HTTP one on loopback, without a user name",
    r"^https?://[!-~]{1,2000}$",
    "https://login.example.com/healthz",
)
CONDITION = _form(
    "a condition (a-z, 0-9, `.`, `_`, `-`, `/`, `:`), or `network:` and a network",
    r"^[a-z0-9][a-z0-9.:/_-]{0,62}$",
    "managed-device",
)
COMMAND = _form(
    "the bare name of an executable in the hooks folder, without path or arguments",
    NAME_PATTERN,
    "rotate-payments-key",
)
ADDRESS = _form(
    "an address (host and port; an IPv6 address in brackets)",
    r"^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[1-9][0-9]{0,4}$",
    "db.internal:5432",
)
HOST = _form(
    "a host name or an address, without a port", r"^[A-Za-z0-9.:_-]{1,253}$", "db.internal"
)
ROLE = _form("a PostgreSQL role in lower case", r"^[a-z_][a-z0-9_$]{0,62}$", "orders_admin")
VARIABLE = _form(
    "an environment variable in upper case, and none that programs are steered by",
    r"^(?!(PATH|HOME|SHELL|IFS|ENV|PS4|CDPATH|TMPDIR|PROMPT_COMMAND|JAVA_TOOL_OPTIONS"
    r"|(LD|DYLD|PYTHON|PERL|RUBY|NODE|BASH|GIT|GCONV|LOCUM)[A-Z0-9_]*)$)[A-Z][A-Z0-9_]{0,62}$",
    "PAYMENTS_API_KEY",
)
NOTIFY = _form(
    "an address to tell people at, as a URL",
    r"^[a-z][a-z0-9+.-]{0,30}:[!-~]{1,1000}$",
    "mailto:alice@example.com",
)


def text(example: str) -> Schema:
    """A line of text."""
    return _form("a line of text, 1-500 characters", r"^[^\n]{1,500}$", example)


def meant(form: Schema, about: str, example: object = None, **more: Any) -> Schema:
    """A form with what it means for one field."""
    examples = {} if example is None else {"examples": [example]}
    return {**form, "description": about, **examples, **more}


def choice(about: str, *values: str, **more: Any) -> Schema:
    """One of a few words."""
    return {
        "type": "string",
        "title": "one of: " + ", ".join(values),
        "enum": list(values),
        "description": about,
        "examples": [values[0]],
        **more,
    }


def whole(about: str, low: int, high: int, example: int, **more: Any) -> Schema:
    """A whole number between two."""
    return {
        "type": "integer",
        "title": f"a whole number from {low} to {high}",
        "minimum": low,
        "maximum": high,
        "description": about,
        "examples": [example],
        **more,
    }


def several(of: Schema, about: str, example: list[Any], *, empty: bool = False) -> Schema:
    """A list without repetition."""
    return {
        "type": "array",
        "title": "a list",
        "items": of,
        "minItems": 0 if empty else 1,
        "uniqueItems": True,
        "description": about,
        "examples": [example],
    }


def fields(required: list[str], about: str, **properties: Schema) -> Schema:
    """A mapping with these keys and no other."""
    return {
        "type": "object",
        "title": "a mapping",
        "description": about,
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def named(of: Schema, about: str) -> Schema:
    """A mapping from names to things of one kind."""
    return {
        "type": "object",
        "title": "a mapping from names",
        "description": about,
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": of,
    }


def exactly_one(about: str, **kinds: Schema) -> Schema:
    """A mapping with exactly one of these keys."""
    return {
        "type": "object",
        "title": "a mapping with exactly one of: " + ", ".join(kinds),
        "description": about,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": kinds,
    }
