"""What one part of an estate says about another: names that must exist, and fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.document import Document, Field
from locum.estate.parsing import instant
from locum.estate.problem import Problem
from locum.estate.validation import position_of, subject_and_field
from locum.model.methods import FALLBACKS

_WAYS = (
    (("approvals", "of"), "group"),
    (("approvals", "escalate", "to"), "group"),
    (("review", "by"), "group"),
    (("requesters",), "group"),
    (("target", "database"), "database"),
    (("probe", "sql"), "database"),
)


def cross_check(document: Document) -> tuple[Problem, ...]:
    """Every dangling name and impossible value of a document that fits the schema."""
    return tuple(
        sorted(
            (*_members(document), *_identities(document), *_instants(document)),
            key=lambda problem: problem.position,
        )
    )


def _members(document: Document) -> Iterator[Problem]:
    identities = document.value.get("identities", {})
    for group, members in document.value.get("groups", {}).items():
        for at, member in enumerate(members):
            if identities.get(member, {}).get("kind") != "human":
                yield _dangling(document, ("groups", group, at), "a person (kind: human)", member)


def _identities(document: Document) -> Iterator[Problem]:
    value = document.value
    named = {
        "group": value.get("groups", {}),
        "database": value.get("databases", {}),
    }
    for name, identity in value.get("identities", {}).items():
        place: Field = ("identities", name)
        acts_for = identity.get("acts_for")
        if acts_for is not None and acts_for not in value["identities"]:
            yield _dangling(document, (*place, "acts_for"), "an identity", acts_for)
        for key, path in identity.get("fallbacks", {}).items():
            here = (*place, "fallbacks", key)
            for way, kind in _WAYS:
                found = _at(path, way)
                if found is not None and found not in named[kind]:
                    yield _dangling(document, (*here, *way), f"a {kind}", found)
            yield from _path(document, here, path, value)


def _path(document: Document, here: Field, path: Any, value: Any) -> Iterator[Problem]:
    methods = [path["method"]] if isinstance(path["method"], str) else path["method"]
    needs = any(FALLBACKS[name].needs_target for name in methods if name in FALLBACKS)
    if needs and "target" not in path:
        yield _say(
            document,
            here,
            "missing-key",
            "`target` is missing.",
            "Add it, e.g. `target: {postgresql-role: orders_admin, database: orders-db}`.",
        )
    approvals = path.get("approvals")
    if approvals is not None:
        size = len(value.get("groups", {}).get(approvals["of"], ()))
        if size < approvals["need"] and approvals["of"] in value.get("groups", {}):
            yield _say(
                document,
                (*here, "approvals", "need"),
                "approvals",
                f"{approvals['need']} approvals are needed of a group of {size}.",
                f"Add people to {approvals['of']}, or need fewer.",
            )


def _instants(document: Document) -> Iterator[Problem]:
    for place in document.positions:
        if place[-1:] == ("until",):
            text = _at(document.value, place)
            try:
                instant(text)
            except (ValueError, OverflowError):
                yield _say(
                    document,
                    place,
                    "value",
                    f"There is no day {text!r}.",
                    "Write a day that exists, e.g. 2027-06-30.",
                )
        if place[-1:] == ("tcp",):
            port = int(_at(document.value, place).rpartition(":")[2])
            if not 0 < port < 65536:
                yield _say(document, place, "value", f"There is no port {port}.", "Use 1-65535.")
        if place[-1:] == ("range",):
            low, high = _at(document.value, place)
            if low > high:
                yield _say(document, place, "value", "The range is empty.", "Put the lower first.")


def _at(value: Any, way: Field) -> Any:
    for step in way:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def _dangling(document: Document, place: Field, kind: str, name: str) -> Problem:
    return _say(
        document,
        place,
        "dangling-name",
        f"`{name}` is not {kind} of this estate.",
        "Declare it, or mend the name.",
    )


def _say(document: Document, place: Field, rule: str, fact: str, remedy: str) -> Problem:
    subject, field = subject_and_field(place)
    return Problem(position_of(document, place), rule, subject, field, fact, remedy)
