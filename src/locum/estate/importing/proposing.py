"""Propose an estate: what was imported, as YAML that a team can review and adopt."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML

from locum.estate.importing.naming import name_of
from locum.estate.inventory import Inventory, Role, Root, Seen, Way
from locum.model.estate import ADMINISTRATORS, Kind

_HEAD = """\
# Proposed from imports; nothing of it opens anything. Review it, then `locum check` it:
# - put people into `administrators`, and name an owner where it says `unknown`;
# - remove what should not exist, and declare as a fallback what should stay.
"""

_NOBODY_YET = "first-administrator"


def propose(inventory: Inventory) -> str:
    """The estate that the imports show.

    Args:
        inventory: with names that an estate can hold.
    """
    primaries = {one.identity: one for one in inventory.ways if one.role is Role.PRIMARY}
    people = [one.name for one in inventory.holders if one.kind is Kind.HUMAN]
    powerful = [one.name for one in inventory.holders if one.privileged and one.name in people]
    identities: dict[str, Any] = {}
    for holder in inventory.holders:
        primary = primaries.get(holder.name)
        identities[holder.name] = {
            "kind": holder.kind.value,
            "owner": holder.owner or "unknown",
            "primary": _what(primary) if primary else {"method": "unknown"},
            **({"disabled": True} if primary and not primary.active else {}),
        }
    administrators = powerful or people[:1]
    if not administrators:
        administrators = [_NOBODY_YET]
        identities[_NOBODY_YET] = {
            "kind": "human",
            "owner": "unknown",
            "disabled": True,
            "primary": {"method": "passkey-device-bound"},
        }
    estate: dict[str, Any] = {
        "version": 1,
        "groups": {ADMINISTRATORS: administrators},
        "identities": identities,
    }
    roots = {one.name: _root(one) for one in inventory.roots}
    found = {_found_name(one): _found(one) for one in inventory.ways if one.role is Role.FOUND}
    estate |= {key: value for key, value in (("roots", roots), ("found", found)) if value}
    stream = io.StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump(estate, stream)
    return _HEAD + stream.getvalue()


def _root(root: Root) -> dict[str, Any]:
    ways = [
        {
            **({"method": _method(way.methods)} if way.methods else {}),
            **({"rests_on": list(way.rests_on)} if way.rests_on else {}),
        }
        for way in root.ways
    ]
    people = sorted(root.administered_by.people) if root.administered_by else []
    return {
        **({"ways": ways} if ways else {}),
        **({"administered_by": people} if people else {}),
    }


def _found_name(way: Way) -> str:
    return name_of(way.name.replace("/", "."))


def _what(way: Way) -> dict[str, Any]:
    resting = sorted({root for roots in way.rests_on.values() for root in roots})
    return {"method": _method(way.methods), **({"rests_on": resting} if resting else {})}


def _method(methods: tuple[str, ...]) -> Any:
    return methods[0] if len(methods) == 1 else list(methods)


def _found(way: Way) -> dict[str, Any]:
    return _plain(
        {
            "identity": way.identity,
            **_what(way),
            "owner": way.owner or None,
            "created": _day(way.created),
            "ends": _day(way.ends),
            "last_used": _day(way.last_used),
            "active": None if way.active else False,
            "source": str(way.place),
        }
    )


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _day(at: Seen) -> str | None:
    return at.date().isoformat() if isinstance(at, datetime) else at
