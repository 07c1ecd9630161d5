"""Check a document against the schema, and say what is wrong in the reader's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from locum.estate.document import Document, Field
from locum.estate.problem import Position, Problem
from locum.estate.schema import SCHEMA

_validator = Draft202012Validator(SCHEMA)
_EXAMPLES = {
    "ttl": "20m", "window": "30m", "within": "24h", "after": "10m", "every": "90d", "lead": "14d",
    "until": "2027-06-30", "tcp": "db.internal:5432", "need": "2", "owner": "iam@example.com",
    "reason": "spare key in the safe", "causes": "[outage]", "method": "vaulted-secret",
    "notify": "[mailto:alice@example.com]", "kind": "workload", "version": "1",
}  # fmt: skip
_KINDS = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number"}


def validate(document: Document) -> tuple[Problem, ...]:
    """Every way in which a document does not fit the schema, in the order of the file."""
    problems = [
        problem
        for error in _validator.iter_errors(document.value)
        for problem in _explain(error, document)
    ]
    return tuple(sorted(problems, key=lambda problem: problem.position))


def position_of(document: Document, place: Field) -> Position:
    """The position of a place, or of the nearest thing around it."""
    while place not in document.positions:
        place = place[:-1]
    return document.positions[place]


def subject_and_field(place: Field) -> tuple[str, str]:
    """Split a place into what it concerns (`identity/path`) and the dotted field within."""
    parts = [str(part) for part in place]
    if parts[:1] == ["identities"] and len(parts) > 1:
        if len(parts) > 3 and parts[2] == "fallbacks":
            return f"{parts[1]}/{parts[3]}", ".".join(parts[4:])
        return parts[1], ".".join(parts[2:])
    return "", ".".join(parts)


def _explain(error: Any, document: Document) -> Iterator[Problem]:
    if error.validator in ("oneOf", "anyOf") and error.context:
        for inner in _branch(error):
            yield from _explain(inner, document)
        return
    place: Field = tuple(error.absolute_path)
    instance, value = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            for key in instance:
                if key not in known:
                    yield _unknown(document, (*place, key), key, known)
        case "required":
            for key in value:
                if key not in instance:
                    yield _missing(document, place, key)
        case "pattern" if (
            isinstance(error.schema, dict)
            and error.parent is not None
            and (error.parent.validator == "propertyNames")
        ):
            yield _say(document, place, "name", f"{instance!r} is no name.", _NAMES)
        case "propertyNames":
            yield _say(document, (*place, instance), "name", f"{instance!r} is no name.", _NAMES)
        case _:
            yield _say(document, place, _RULES.get(error.validator, "value"), *_words(error))


_NAMES = "Use a-z, 0-9, `.`, `_` and `-`, e.g. payments-api."
_RULES = {"type": "type", "enum": "value", "pattern": "form", "const": "value", "minItems": "empty"}


def _branch(error: Any) -> list[Any]:
    branches: dict[int, list[Any]] = {}
    for inner in error.context or ():
        branches.setdefault(int(inner.relative_schema_path[0]), []).append(inner)

    def misfit(branch: list[Any]) -> tuple[int, int]:
        wrong_kind = sum(one.validator == "type" and not one.relative_path for one in branch)
        absent = sum(
            key not in one.instance
            for one in branch
            if one.validator == "required"
            for key in one.validator_value[:1]
        )
        return wrong_kind + absent, len(branch)

    return min(branches.values(), key=misfit)


def _words(error: Any) -> tuple[str, str]:
    name = str(error.absolute_path[-1]) if error.absolute_path else "the file"
    example = f", e.g. `{name}: {_EXAMPLES[name]}`" if name in _EXAMPLES else ""
    shown = repr(error.instance)[:60]
    wanted = error.validator_value
    match error.validator:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            words = " or ".join(_KINDS.get(kind, f"a {kind}") for kind in kinds)
            return f"`{name}` must be {words}, not {shown}.", f"Write {words}{example}."
        case "enum":
            return f"`{name}` cannot be {shown}.", "Use one of: " + ", ".join(
                map(str, wanted)
            ) + "."
        case "const":
            return f"`{name}` must be {wanted!r}, not {shown}.", f"Write `{name}: {wanted}`."
        case "minItems" | "minProperties":
            return f"`{name}` is empty.", f"Name at least one{example}, or leave it out."
        case "maxProperties":
            return f"`{name}` names several kinds.", "Name exactly one."
        case "minimum" | "maximum":
            side = "at least" if error.validator == "minimum" else "at most"
            return f"`{name}` is {shown}.", f"Set it to {side} {wanted}{example}."
        case "uniqueItems":
            return f"`{name}` names something twice.", "Name each once."
        case _:
            return f"`{name}` is not in the right form: {shown}.", f"Write it as expected{example}."


def _unknown(document: Document, place: Field, key: str, known: list[str]) -> Problem:
    close = difflib.get_close_matches(key, known, 1)
    remedy = f"Did you mean `{close[0]}`?" if close else "Known: " + ", ".join(sorted(known)) + "."
    return _say(document, place, "unknown-key", f"`{key}` is not a key here.", remedy)


def _missing(document: Document, place: Field, key: str) -> Problem:
    example = f", e.g. `{key}: {_EXAMPLES[key]}`" if key in _EXAMPLES else ""
    return _say(document, place, "missing-key", f"`{key}` is missing.", f"Add `{key}`{example}.")


def _say(document: Document, place: Field, rule: str, fact: str, remedy: str) -> Problem:
    subject, field = subject_and_field(place)
    return Problem(position_of(document, place), rule, subject, field, fact, remedy)
