"""Propose an estate: what was imported, as YAML that a team can review and adopt."""

from __future__ import annotations

import io
from collections.abc import Collection
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML

from locum.estate.declared import UNKNOWN_OWNER
from locum.estate.importing.naming import name_of
from locum.estate.inventory import NEVER, Holder, Inventory, Role, Root, Seen, Way
from locum.model.estate import ADMINISTRATORS, Kind
from locum.model.names import is_name

_HEAD = """\
# Proposed from imports; nothing of it opens anything. Review it, then `locum check` it:
# - put people into `administrators`, and name an owner where it says `unknown`;
# - remove what should not exist, and declare as a fallback what should stay.
"""

_NOBODY_YET = "first-administrator"
_LONGEST, _FIRST, _NO_END = 500, 1970, 9000


def propose(inventory: Inventory) -> str:
    """The estate that the imports show.

    Args:
        inventory: with names that an estate can hold.
    """
    primaries = {one.identity: one for one in inventory.ways if one.role is Role.PRIMARY}
    people = [one.name for one in inventory.holders if one.kind is Kind.HUMAN]
    powerful = [one.name for one in inventory.holders if one.privileged and one.name in people]
    identities: dict[str, Any] = {
        one.name: _identity(one, primaries.get(one.name)) for one in inventory.holders
    }
    administrators = powerful or people[:1]
    if not administrators:
        administrators = [_NOBODY_YET]
        identities[_NOBODY_YET] = {
            "kind": "human",
            "owner": UNKNOWN_OWNER,
            "disabled": True,
            "primary": {"method": "passkey-device-bound"},
        }
    estate: dict[str, Any] = {
        "version": 1,
        "groups": {ADMINISTRATORS: administrators},
        "identities": identities,
    }
    roots = {one.name: _root(one) for one in inventory.roots}
    found: dict[str, Any] = {}
    for one in inventory.ways:
        if one.role is Role.FOUND:
            normal = primaries.get(one.identity)
            asked = one.demands if normal is None else normal.demands
            found[_found_name(one, found)] = _found(one, asked)
    estate |= {key: value for key, value in (("roots", roots), ("found", found)) if value}
    stream = io.StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump(estate, stream)
    return _HEAD + stream.getvalue()


def _identity(holder: Holder, primary: Way | None) -> dict[str, Any]:
    normal: dict[str, Any] = {"method": "unknown"} if primary is None else _what(primary)
    if primary is not None:
        normal |= {
            "context": sorted(primary.demands) or None,
            "drops": sorted(holder.demands - primary.demands) or None,
            **_history(primary),
        }
    return _plain(
        {
            "kind": holder.kind.value,
            "owner": _line(holder.owner) or UNKNOWN_OWNER,
            # A group holds people only; what else is powerful says so itself.
            "privileged": True if holder.privileged and holder.kind is not Kind.HUMAN else None,
            "primary": _plain(normal),
            "disabled": True if primary is not None and not primary.active else None,
        }
    )


def _root(root: Root) -> dict[str, Any]:
    ways = [
        _plain(
            {
                "method": _method(way.methods) if way.methods else None,
                "rests_on": _named(way.rests_on) or None,
            }
        )
        for way in root.ways
    ]
    people = sorted(root.administered_by.people) if root.administered_by else []
    said = {"ways": [one for one in ways if one] or None, "administered_by": people or None}
    return _plain(said)


def _found_name(way: Way, taken: Collection[str]) -> str:
    """A name of which, after its adoption, the way's own is left (`locum.estate.declared`)."""
    own = way.name.partition("/")[2]
    for name in (f"{way.identity}.{own}", own):
        if is_name(name) and name not in taken:
            return name
    return name_of(way.name)


def _what(way: Way) -> dict[str, Any]:
    return _plain({"method": _method(way.methods), "rests_on": _resting(way) or None})


def _resting(way: Way) -> dict[str, list[str]] | list[str]:
    """Roots by method; a list where each method rests on the same."""
    methods = [name_of(one) for one in way.methods]
    by_method: dict[str, list[str]] = {one: [] for one in methods}
    for name, roots in way.rests_on.items():
        # What vouches for a whole way is known by its kind; all else must be under each method.
        for method in [name_of(name)] if name else methods:
            there = by_method.setdefault(method, [])
            there += [one for one in _named(roots) if one not in there]
    said = {method: roots for method, roots in by_method.items() if roots}
    first = by_method[methods[0]]
    return first if all(roots == first for roots in by_method.values()) else said


def _named(roots: tuple[str, ...]) -> list[str]:
    """Roots as an estate writes them; an identity is one, too."""
    return [one if ":" in one else f"identity:{one}" for one in dict.fromkeys(roots)]


def _method(methods: tuple[str, ...]) -> Any:
    named = [*dict.fromkeys(map(name_of, methods))]
    return named[0] if len(named) == 1 else named


def _found(way: Way, asked: frozenset[str]) -> dict[str, Any]:
    return _plain(
        {
            "identity": way.identity,
            **_what(way),
            "owner": _line(way.owner) or None,
            **_history(way),
            "context": sorted(way.demands) if way.demands or asked else None,
            "wider": _line(way.wider) or None,
            "active": None if way.active else False,
            "source": _line(str(way.place)),
        }
    )


def _history(way: Way) -> dict[str, str | None]:
    return {
        "created": _day(way.created),
        "ends": _day(way.ends),
        "last_used": _day(way.last_used),
    }


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _line(text: str) -> str:
    """A line that an estate can hold."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:_LONGEST]


def _day(at: Seen) -> str | None:
    """A day that an estate can count with; one beyond all calendars is no end."""
    if not isinstance(at, datetime):
        return at
    if at.year >= _NO_END:
        return NEVER
    return at.date().isoformat() if at.year >= _FIRST else None
