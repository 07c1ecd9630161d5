"""Say in the reader's words what does not fit the schema.

What is expected, and an example, come from the schema itself. A value is shown only where it is
short and cannot be a secret that somebody put in the wrong place.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from locum.estate.document import Field

Words = tuple[Field, str, str, str]
_NEVER_SHOWN = frozenset(
    {"admin_secret", "static", "notify", "prefix", "webhook", "http", "oidc", "url", "exact"}
)
_LONGEST_SHOWN = 40


def explain(error: Any) -> Iterator[Words]:
    """What one error of the validator means: place, rule, fact, remedy."""
    if error.validator in ("oneOf", "anyOf") and error.context:
        for inner in _branch(error):
            yield from explain(inner)
        return
    place: Field = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties":
            known = list(error.schema["properties"])
            for key in error.instance:
                if key not in known:
                    yield (*_unknown((*place, key), key, known),)
        case "required":
            for key in error.validator_value:
                if key not in error.instance:
                    yield _missing(place, key, error.schema["properties"][key])
        case "pattern" if list(error.absolute_schema_path)[-2:-1] == ["propertyNames"]:
            yield (*_bad_name((*place, error.instance), error.instance),)
        case _:
            yield (place, *_misfit(error, place))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean …?` where one of the known is close, else nothing."""
    close = difflib.get_close_matches(word, sorted(known), 1)
    return f"Did you mean `{close[0]}`?" if close else ""


def example_of(key: str, schema: Any) -> str:
    """`, e.g. `key: …`` where the schema gives an example, else nothing."""
    examples = schema.get("examples", ()) if isinstance(schema, dict) else ()
    return f", e.g. `{key}: {_flow(examples[0])}`" if examples else ""


def _unknown(place: Field, key: str, known: list[str]) -> Words:
    remedy = did_you_mean(key, known) or "Known here: " + ", ".join(known) + "."
    return place, "unknown-key", f"`{key[:_LONGEST_SHOWN]}` is not a key here.", remedy


def _missing(place: Field, key: str, schema: Any) -> Words:
    return (
        place, "missing-key", f"`{key}` is missing.", f"Add it{example_of(key, schema)}.",
    )  # fmt: skip


def _bad_name(place: Field, name: str) -> Words:
    if place[0] == "roots":
        return (
            place,
            "name",
            f"`{name[:_LONGEST_SHOWN]}` is no root.",
            "Write its kind, a colon and its name, e.g. `mailbox:alice@example.com`; kinds are "
            "device, mailbox, phone-number, account, vault, help-desk, custodian, "
            "identity-provider, authority, locum.",
        )
    if place[0] == "observed":
        return (
            place,
            "name",
            f"`{name[:_LONGEST_SHOWN]}` names no path.",
            "Write it `identity/path`, e.g. `payments-api/rotation-backup`.",
        )
    return (
        place,
        "name",
        f"`{name[:_LONGEST_SHOWN]}` cannot be a name.",
        "Use 1-63 of a-z, 0-9, `.`, `_`, `-`, with a letter or digit at both ends, "
        "e.g. `payments-api`.",
    )


def _misfit(error: Any, place: Field) -> tuple[str, str, str]:
    schema = error.schema if isinstance(error.schema, dict) else {}
    key = next((str(part) for part in reversed(place) if isinstance(part, str)), "")
    name = f"`{key}`" if key else "The file"
    title = schema.get("title", "what the schema says")
    listed = bool(place) and isinstance(place[-1], int)
    remedy = "Write it so." if listed else f"Write it so{example_of(key, schema)}."
    match error.validator:
        case "type":
            rule, fact = "type", f"{name} must be {title}, not {_kind(error.instance)}."
        case "uniqueItems":
            return "value", f"{name} names something twice.", "Name each once."
        case "minItems" if not error.instance:
            return (
                "value",
                f"{name} is empty.",
                f"Name at least one{example_of(key, schema)}, or leave it out.",
            )
        case "enum":
            words = error.validator_value
            rule, fact = "value", f"{name} cannot be {_shown(error.instance, key)}."
            close = did_you_mean(str(error.instance), map(str, words))
            remedy = close or "Use one of: " + ", ".join(map(str, words)) + "."
        case "pattern":
            rule = "form"
            fact = f"{name} must be {title}, not {_shown(error.instance, key)}."
        case _:
            rule = "value"
            fact = f"{name} must be {title}, not {_shown(error.instance, key)}."
    return rule, fact, remedy


def _branch(error: Any) -> list[Any]:
    """The alternative that the writer most likely meant."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)

    def distance(branch: list[Any]) -> tuple[int, int]:
        wrong_kind = sum(one.validator == "type" and not one.relative_path for one in branch)
        without_its_key = sum(
            one.validator_value[0] not in one.instance
            for one in branch
            if one.validator == "required" and not one.relative_path
        )
        return wrong_kind + without_its_key, len(branch)

    return min(branches.values(), key=distance)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return str(value)
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _shown(value: Any, key: str) -> str:
    if not isinstance(value, str):
        return _kind(value)
    if key in _NEVER_SHOWN or len(value) > _LONGEST_SHOWN or "@" in value or "://" in value:
        return "what stands there"
    return json.dumps(value, ensure_ascii=False)


def _flow(value: Any) -> str:
    """A value as one writes it in YAML on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str() if value.endswith(" "):
            return json.dumps(value)
        case str():
            return value
        case _:
            return json.dumps(value)
