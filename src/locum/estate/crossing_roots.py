"""What a way says that its methods rest on must be of its methods.

What rests on a method that is not presented would be dropped, and a slip would make the way strong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.document import Document, Field
from locum.estate.explanation import did_you_mean
from locum.estate.parsing import methods
from locum.estate.place import problem_at
from locum.estate.problem import Problem


def rested_on(document: Document) -> Iterator[Problem]:
    """Methods under `rests_on` that are none of their way's."""
    for name, identity in document.value["identities"].items():
        place: Field = ("identities", name)
        yield from _of_way(document, (*place, "primary"), identity["primary"])
        for key, path in identity.get("fallbacks", {}).items():
            yield from _of_way(document, (*place, "fallbacks", key), path)
    for name, found in document.value["found"].items():
        yield from _of_way(document, ("found", name), found)


def _of_way(document: Document, place: Field, way: Any) -> Iterator[Problem]:
    said = way.get("rests_on", {})
    presented = methods(way["method"])
    for name in said if isinstance(said, dict) else ():
        if name in presented:
            continue
        yield problem_at(
            document,
            (*place, "rests_on", name),
            "dangling-name",
            f"`{name}` is no method of this way, which is {' and '.join(presented)}.",
            did_you_mean(name, presented) or "Name a method of the way, or write a list of roots.",
        )
