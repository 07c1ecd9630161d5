"""What one part of an estate says about another: names that must exist, and fit.

A target belongs to one path: a second one would set the same password under the feet of the first
(NHI9), and a path must not hand out what Locum itself works with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.crossing_found import found_and_observed
from locum.estate.crossing_roots import administered, rested_on
from locum.estate.crossing_trust import bundles, pinned, pinned_once, rotated
from locum.estate.document import Document, Field
from locum.estate.explanation import did_you_mean
from locum.estate.place import problem_at
from locum.estate.problem import Problem
from locum.model.estate import ADMINISTRATORS
from locum.model.methods import CATALOGUE, FALLBACKS

_NAMING = (
    (("approvals", "of"), "groups"),
    (("approvals", "escalate", "to"), "groups"),
    (("review", "by"), "groups"),
    (("requesters",), "groups"),
    (("target", "database"), "databases"),
    (("probe", "sql"), "databases"),
)
_SINGULAR = {"groups": "group", "databases": "database"}


def cross_check(document: Document) -> Iterator[Problem]:
    """Every name of a document that dangles or does not fit; the document fits the schema."""
    yield from _administrators(document)
    yield from _members(document)
    targets: dict[tuple[str, ...], Field] = {}
    for name, identity in document.value["identities"].items():
        place: Field = ("identities", name)
        yield from _acts_for(document, place, identity)
        yield from _methods(document, (*place, "primary", "method"), identity["primary"])
        yield from pinned(document, place, identity)
        for key, path in identity.get("fallbacks", {}).items():
            here = (*place, "fallbacks", key)
            yield from _names(document, here, path)
            yield from _methods(document, (*here, "method"), path)
            yield from _enough(document, here, path)
            yield from _target(document, here, path, targets)
            yield from rotated(document, here, path, identity)
    for name, found in document.value["found"].items():
        yield from _methods(document, ("found", name, "method"), found)
    yield from found_and_observed(document)
    yield from pinned_once(document)
    yield from bundles(document)
    yield from rested_on(document)
    yield from administered(document)


def _administrators(document: Document) -> Iterator[Problem]:
    if not document.value["groups"].get(ADMINISTRATORS):
        yield problem_at(
            document,
            ("groups", ADMINISTRATORS),
            "administrators",
            f"There is nobody in the group `{ADMINISTRATORS}`, so nobody could invite people.",
            f"Declare it, e.g. `groups: {{{ADMINISTRATORS}: [alice]}}`.",
        )


def _members(document: Document) -> Iterator[Problem]:
    identities = document.value["identities"]
    people = [name for name, one in identities.items() if one["kind"] == "human"]
    for group, members in document.value["groups"].items():
        for at, member in enumerate(members):
            if member in identities and identities[member]["kind"] == "human":
                continue
            kind = f"is of kind {identities[member]['kind']}" if member in identities else ""
            yield problem_at(
                document,
                ("groups", group, at),
                "dangling-name",
                f"`{member}` {kind or 'is no identity of this estate'}; a group holds people.",
                did_you_mean(member, people) or "Declare the person (`kind: human`), or remove it.",
            )


def _acts_for(document: Document, place: Field, identity: Any) -> Iterator[Problem]:
    principal = identity.get("acts_for")
    identities = document.value["identities"]
    if principal is None or (principal in identities and principal != place[1]):
        return
    yield problem_at(
        document,
        (*place, "acts_for"),
        "dangling-name",
        "An identity cannot act for itself."
        if principal == place[1]
        else f"`{principal}` is no identity of this estate.",
        did_you_mean(principal, set(identities) - {place[1]})
        or "Name the identity that it acts for, or leave `acts_for` out.",
    )


def _names(document: Document, here: Field, path: Any) -> Iterator[Problem]:
    for way, section in _NAMING:
        found: Any = path
        for step in way:
            found = found.get(step) if isinstance(found, dict) else None
        if found is None or found in document.value[section]:
            continue
        kind = _SINGULAR[section]
        person = section == "groups" and found in document.value["identities"]
        yield problem_at(
            document,
            (*here, *way),
            "dangling-name",
            f"`{found}` is {'an identity, not a group' if person else f'no {kind}'} of this "
            "estate.",
            did_you_mean(found, document.value[section])
            or f"Declare it under `{section}`, or name another {kind}.",
        )


def _methods(document: Document, place: Field, holder: Any) -> Iterator[Problem]:
    raw = holder["method"]
    for at, name in enumerate([raw] if isinstance(raw, str) else raw):
        if name in CATALOGUE:
            continue
        close = did_you_mean(name, CATALOGUE)
        yield problem_at(
            document,
            place if isinstance(raw, str) else (*place, at),
            "method",
            f"`{name}` is not in the catalogue, so it is worth the least.",
            close or "Use a method of the catalogue (docs/estate.md), or accept that.",
            # One that is close to a known name is a slip, and a slip in a primary would make law 1
            # ask nothing of its paths.
            "error" if close else "warning",
        )


def _enough(document: Document, here: Field, path: Any) -> Iterator[Problem]:
    approvals = path.get("approvals")
    if approvals is None or approvals["of"] not in document.value["groups"]:
        return
    size = len(document.value["groups"][approvals["of"]])
    if size < approvals["need"]:
        yield problem_at(
            document,
            (*here, "approvals", "need"),
            "approvals",
            f"{approvals['need']} approvals are needed of `{approvals['of']}`, which has {size}.",
            "Add people to the group, or need fewer.",
        )


def _target(
    document: Document, here: Field, path: Any, seen: dict[tuple[str, ...], Field]
) -> Iterator[Problem]:
    methods = [path["method"]] if isinstance(path["method"], str) else path["method"]
    opens = any(FALLBACKS[name].needs_target for name in methods if name in FALLBACKS)
    target = path.get("target")
    if target is None:
        if opens:
            yield problem_at(
                document,
                here,
                "missing-key",
                f"`target` is missing; the method {' and '.join(methods)} opens one.",
                "Add it, e.g. `target: {postgresql-role: orders_admin, database: orders-db}`.",
            )
        return
    at = (*here, "target")
    if not opens:
        yield problem_at(
            document,
            at,
            "target",
            f"There is a `target`, and the method {' and '.join(methods)} opens none.",
            "Use the method `vaulted-secret`, or remove the target.",
        )
    yield from _own_target(document, at, target, seen)


def _own_target(
    document: Document, at: Field, target: Any, seen: dict[tuple[str, ...], Field]
) -> Iterator[Problem]:
    kind = "static" if "static" in target else "postgresql-role"
    databases = document.value["databases"]
    if kind == "static":
        key: tuple[str, ...] = (kind, target[kind])
        ours = any(one["admin_secret"] == target[kind] for one in databases.values())
    else:
        one = databases.get(target["database"], {})
        # Two names of one server are one server.
        key = (kind, str(one.get("host")), str(one.get("port")), target[kind])
        ours = one.get("admin") == target[kind]
    if ours:
        yield problem_at(
            document,
            (*at, kind),
            "target",
            f"`{target[kind]}` is what Locum itself works with.",
            "Give the path a role or secret of its own.",
        )
    first = seen.setdefault(key, at)
    if first != at:
        yield problem_at(
            document,
            (*at, kind),
            "target",
            f"`{target[kind]}` is the target of {first[1]}/{first[3]} already.",
            "Give each path a target of its own.",
            related=(*first, kind),
        )
