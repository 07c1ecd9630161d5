"""What authenticators rest on, and who administers it, must be there.

What rests on a method that is not presented would be dropped, and what more people administer than
there are would be out of everybody's reach: a slip would make either strong.
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


def administered(document: Document) -> Iterator[Problem]:
    """Administrators of roots who are nobody, or more than there are."""
    groups, identities = document.value["groups"], document.value["identities"]
    for name, root in document.value["roots"].items():
        said = root.get("administered_by", ())
        here: Field = ("roots", name, "administered_by")
        if isinstance(said, dict):
            yield from _keepers(document, here, said, groups)
            continue
        for at, one in enumerate(said):
            if one not in identities and one not in groups:
                yield problem_at(
                    document,
                    (*here, at),
                    "dangling-name",
                    f"`{one}` is no identity or group of this estate.",
                    did_you_mean(one, {*identities, *groups}) or "Declare it.",
                )


def _keepers(document: Document, here: Field, rule: Any, groups: Any) -> Iterator[Problem]:
    if rule["of"] not in groups:
        yield problem_at(
            document,
            (*here, "of"),
            "dangling-name",
            f"`{rule['of']}` is no group of this estate.",
            did_you_mean(rule["of"], groups) or "Declare it under `groups`.",
        )
    elif len(groups[rule["of"]]) < rule["need"]:
        yield problem_at(
            document,
            (*here, "need"),
            "approvals",
            f"{rule['need']} are needed of `{rule['of']}`, which has {len(groups[rule['of']])}.",
            "Add people to the group, or need fewer.",
        )
