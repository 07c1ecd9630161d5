"""Check a document against the schema, more strictly than a JSON Schema library does by itself.

`$` is the end of a text and not the place before its last line feed; `1.0` is no whole number;
and whether a list names something twice is found in one pass, `1` and `true` being different.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from locum.estate.document import Document
from locum.estate.explanation import explain
from locum.estate.place import problem_at
from locum.estate.problem import Problem
from locum.estate.schema import SCHEMA
from locum.model.digest import canonical


@lru_cache(maxsize=128)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removesuffix("$") + (r"\Z" if pattern.endswith("$") else ""))


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _compiled(pattern).search(value):
        yield ValidationError(f"{pattern} is not fitted")


def _unique(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(value, list):
        seen: set[bytes] = set()
        for at, one in enumerate(value):
            form = canonical(one)
            if form in seen:
                yield ValidationError("a repetition", path=(at,), instance=one)
            seen.add(form)


_validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern, "uniqueItems": _unique},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)(SCHEMA)


def validate(document: Document) -> tuple[Problem, ...]:
    """Every way in which a document does not fit the schema, in the order of the file."""
    problems = [
        problem_at(document, place, rule, fact, remedy)
        for error in _validator.iter_errors(document.value)
        for place, rule, fact, remedy in explain(error)
    ]
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.position))
