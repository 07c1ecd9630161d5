"""From a loaded estate to its inventory: identities, ways in, and what those rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from locum.estate.document import Document, Field
from locum.estate.inventory import (
    NEVER,
    Holder,
    Inventory,
    Quorum,
    Role,
    Root,
    RootWay,
    Seen,
    Way,
)
from locum.estate.parsing import authority, instant, methods
from locum.estate.place import position_of
from locum.estate.schema_roots import WHOLE
from locum.laws.containment import Wider, contains
from locum.laws.no_one_alone import who_may_ask
from locum.model.authority import Authority
from locum.model.estate import ADMINISTRATORS, Estate, Identity
from locum.model.methods import FALLBACKS
from locum.model.path import Path

UNKNOWN_OWNER = "unknown"


def inventory_of(estate: Estate, document: Document) -> Inventory:
    """What the files of an estate say.

    Args:
        document: the files, cross-checked; the estate was read from them.
    """
    administrators = estate.members(ADMINISTRATORS)
    holders = tuple(
        Holder(
            one.name,
            one.kind,
            position_of(document, ("identities", one.name)),
            _owner(one.owner),
            one.primary.context | frozenset(_primary_of(document, one).get("drops", ())),
            one.proofing,
            one.name in administrators
            or _at(document, ("identities", one.name)).get("privileged", False),
            one.disabled,
            one.acts_for or "",
        )
        for one in estate.identities.values()
    )
    ways: list[Way] = []
    for identity in estate.identities.values():
        ways.append(_primary(identity, document))
        ways += [_path(one, identity, estate, document) for one in identity.paths.values()]
    ways += _found(estate, document)
    return Inventory(holders, tuple(ways), (*_roots(estate, document), *_bundles(estate, document)))


def _primary(identity: Identity, document: Document) -> Way:
    place: Field = ("identities", identity.name, "primary")
    raw = _at(document, place)
    resting = _rests_on(raw, identity.primary.methods)
    if identity.primary.known_by is not None:
        resting[""] = (*resting.get("", ()), f"authority:{identity.primary.known_by.trust}")
    return Way(
        identity.name,
        identity.name,
        Role.PRIMARY,
        identity.primary.methods,
        position_of(document, place),
        resting,
        demands=identity.primary.context,
        owner=_owner(identity.owner),
        created=_made(raw),
        ends=_ending(raw),
        last_used=_seen(raw, "last_used"),
        active=not identity.disabled,
    )


def _primary_of(document: Document, identity: Identity) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _at(document, ("identities", identity.name, "primary"))
    return found


def _owner(owner: str) -> str:
    """Who answers for it; imports write `unknown` where nobody says."""
    return "" if owner == UNKNOWN_OWNER else owner


def _path(path: Path, identity: Identity, estate: Estate, document: Document) -> Way:
    place: Field = ("identities", identity.name, "fallbacks", path.name.path)
    seen = document.value["observed"].get(str(path.name), {})
    through = [FALLBACKS[one] for one in path.methods if one in FALLBACKS]
    by_primary = any(one.by_primary for one in through)
    approvals = path.approvals
    presents = tuple(one for one in path.methods if one not in FALLBACKS)
    asked = any(one.presents for one in through)
    return Way(
        str(path.name),
        identity.name,
        Role.DECLARED,
        presents,
        position_of(document, place),
        _rests_on(_at(document, place), path.methods),
        yields=through[0].yields if through else "",
        by_primary=by_primary,
        requesters=None if by_primary else _requesters(path, identity, estate),
        by_key=asked,
        approvals=None
        if approvals is None
        else Quorum(approvals.of, frozenset(estate.members(approvals.of)), approvals.need),
        demands=path.context,
        owner=path.owner,
        ends=path.until,
        last_used=_seen(seen, "last_used"),
        last_drilled=_seen(seen, "last_drilled"),
        last_reviewed=_seen(seen, "last_reviewed"),
        reviewable=True,
        review_within=path.review.within,
        drill_days=None if path.drill is None else max(1, path.drill.every.days),
        active=not identity.disabled,
        waived=None if path.waiver is None else path.waiver.until,
        wider=_wider(path.authority, identity),
        probed=path.probe is not None,
    )


def _requesters(path: Path, identity: Identity, estate: Estate) -> Quorum:
    group = who_may_ask(path)
    if group is None:
        return Quorum(identity.name, frozenset({identity.name}))
    return Quorum(group, frozenset(estate.members(group)))


def _found(estate: Estate, document: Document) -> Iterator[Way]:
    for name, raw in document.value["found"].items():
        place: Field = ("found", name)
        identity = estate.identities[raw["identity"]]
        presented = methods(raw["method"])
        yield Way(
            f"{identity.name}/{_own_name(name, identity, document)}",
            identity.name,
            Role.FOUND,
            presented,
            position_of(document, place),
            _rests_on(raw, presented),
            demands=frozenset(raw.get("context", identity.primary.context)),
            demands_unsaid="context" not in raw and bool(identity.primary.context),
            owner=raw.get("owner", ""),
            created=_made(raw),
            ends=_ending(raw),
            last_used=_seen(raw, "last_used"),
            active=raw.get("active", True) and not identity.disabled,
            wider=raw.get("wider") or _wider(authority(raw.get("authority")), identity),
        )


def _own_name(name: str, identity: Identity, document: Document) -> str:
    """A found name without its identity, as an import called it, so that a baseline knows it.

    Where something else is called so already, it keeps the whole name.
    """
    own = name.removeprefix(f"{identity.name}.")
    taken = own in document.value["found"] or own in identity.paths
    return name if taken else own


def _wider(own: Authority | None, identity: Identity) -> str:
    """One thing that it allows and the primary does not; empty where there is none.

    Declared paths are asked here as well as by law 2, because a stored graph holds no authority.
    """
    if own is None:
        return ""
    verdict = contains(identity.primary.authority, own)
    return verdict.fact if isinstance(verdict, Wider) else ""


def _roots(estate: Estate, document: Document) -> Iterator[Root]:
    for name, raw in document.value["roots"].items():
        yield Root(
            name,
            position_of(document, ("roots", name)),
            tuple(
                RootWay(
                    methods(one["method"]) if "method" in one else (),
                    tuple(map(_name, one.get("rests_on", ()))),
                )
                for one in raw.get("ways", ())
            ),
            _administered(raw.get("administered_by"), estate),
            raw.get("owner", ""),
        )


def _bundles(estate: Estate, document: Document) -> Iterator[Root]:
    """Trust bundles are roots, too: whoever holds an issuer's key is whom they like."""
    for name in estate.trust:
        if f"authority:{name}" not in document.value["roots"]:
            place = position_of(document, ("trust", name))
            yield Root(f"authority:{name}", place, administered_by=Quorum(name, frozenset()))


def _administered(raw: Any, estate: Estate) -> Quorum | None:
    if raw is None:
        return None
    if isinstance(raw, dict):
        return Quorum(raw["of"], frozenset(estate.members(raw["of"])), raw["need"])
    people: set[str] = set()
    for name in raw:
        people |= estate.members(name) if name in estate.groups else {name}
    return Quorum(", ".join(raw), frozenset(people))


def _rests_on(raw: Mapping[str, Any], presented: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Roots by method; those that vouch for the whole way stand under an empty name."""
    said = raw.get("rests_on", {})
    by_method = said if isinstance(said, dict) else dict.fromkeys(presented, said)
    resting: dict[str, tuple[str, ...]] = {}
    for name, roots in by_method.items():
        for root in roots:
            key = "" if root.startswith(WHOLE) else name
            if _name(root) not in resting.get(key, ()):
                resting[key] = (*resting.get(key, ()), _name(root))
    return resting


def _name(root: str) -> str:
    """The name of a root's vertex; identities have theirs without a kind."""
    return root.removeprefix("identity:")


def _seen(raw: Mapping[str, Any], field: str) -> Seen:
    value = raw.get(field)
    return None if value is None else NEVER if value == "never" else _begun(value)


def _ending(raw: Mapping[str, Any]) -> Seen:
    text = raw.get("ends")
    return None if text is None else NEVER if text == "never" else instant(text)


def _made(raw: Mapping[str, Any]) -> datetime | None:
    return _begun(raw["created"]) if "created" in raw else None


def _begun(text: str) -> datetime:
    """An instant of the past: of a day its beginning, because an end is its end."""
    return instant(text) - (timedelta() if "T" in text else timedelta(days=1))


def _at(document: Document, place: Field) -> Any:
    found = document.value
    for step in place:
        found = found[step]
    return found
