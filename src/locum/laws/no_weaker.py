"""Law 1, no weaker.

The strength of what a requester must present, with everything that it in turn depends on, is at
least the primary's, or a waiver in date says otherwise. What is presented is at least what was
declared. Where the path yields a credential that works by itself while the grant is open, holding
it is an alternative way in, so the path is worth the meet of both (OWASP NHI4). A password that is
sent to a server whose name nobody verifies is the password of whoever stands in its place.
Source: design §2, §3; requirements §7.2.
"""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address

from locum.model.cause import SqlProbe
from locum.model.estate import Estate, Identity
from locum.model.methods import FALLBACKS, Presented, method, strength_of, strength_together
from locum.model.path import Path, PostgresqlRole
from locum.model.refusal import Breach, Law
from locum.model.strength import Strength


def path_strength(path: Path, identity: Identity) -> Strength:
    """What the declared path is worth for this identity."""
    demanded: list[Presented] = []
    result: Strength | None = None
    for name in path.methods:
        fallback = FALLBACKS.get(name)
        if fallback is None:
            demanded.append(Presented(method(name)))
            continue
        shown = identity.primary.methods if fallback.by_primary else fallback.presents
        demanded.extend(Presented(method(one)) for one in shown)
        # What is issued on the word of the primary carries what the primary was proofed at.
        carried = primary_strength(identity).proofing if fallback.by_primary else identity.proofing
        yielded = strength_of(fallback.yields, carried)
        result = yielded if result is None else result.meet(yielded)
    presented = strength_together(demanded, identity.proofing)
    return presented if result is None else presented.meet(result)


def primary_strength(identity: Identity) -> Strength:
    """What the primary is worth."""
    return strength_together(
        (Presented(method(name)) for name in identity.primary.methods), identity.proofing
    )


def weaker_than_primary(path: Path, identity: Identity) -> tuple[Breach, ...]:
    """Say where the path is weaker than its primary, waiver or not."""
    lacking = path_strength(path, identity).shortfall(primary_strength(identity))
    if not lacking:
        return ()
    return (
        Breach(
            Law.NO_WEAKER,
            f"The path is weaker than its primary ({', '.join(lacking)}).",
            "Choose a method that is no weaker, or declare a `waiver` with an owner, a reason and "
            "an end date.",
            "method",
            ("EVT-4", "NHI4", "ZT-3", "ASVS 6.1.3", "ASVS 6.3.4"),
        ),
    )


def waived(path: Path, now: datetime) -> bool:
    """Tell whether a waiver in date accepts the downgrade."""
    return path.waiver is not None and now < path.waiver.until


def no_weaker(path: Path, identity: Identity, now: datetime) -> tuple[Breach, ...]:
    """Law 1 at opening: no weaker than the primary, unless a waiver in date accepts it."""
    breaches = weaker_than_primary(path, identity)
    return () if not breaches or waived(path, now) else breaches


def unverified_servers(path: Path, estate: Estate) -> tuple[Breach, ...]:
    """Say which databases of the path are sent passwords unverified, off this machine."""
    named = (
        ("target", path.target.database if isinstance(path.target, PostgresqlRole) else None),
        ("probe", path.probe.database if isinstance(path.probe, SqlProbe) else None),
    )
    return tuple(
        Breach(
            Law.NO_WEAKER,
            f"The database {one.name} at {one.host} is reached with `sslmode` {one.sslmode}, which "
            "does not verify its name: whoever stands in its place is sent the password.",
            f"Set `databases.{one.name}.sslmode` to verify-full, or leave it out.",
            field,
            ("NHI4", "ZT-3"),
        )
        for field, name in named
        if name is not None
        and (one := estate.databases.get(name)) is not None
        and one.sslmode != "verify-full"
        and not _on_this_machine(one.host)
    )


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def presented_as_declared(
    path: Path, identity: Identity, presented: frozenset[str]
) -> tuple[Breach, ...]:
    """What is presented is at least what was declared.

    Args:
        presented: the methods that verifiers found proved.
    """
    wanted: set[str] = set()
    for name in path.methods:
        fallback = FALLBACKS.get(name)
        if fallback is None:
            wanted.add(name)
        else:
            wanted.update(identity.primary.methods if fallback.by_primary else fallback.presents)
    missing = sorted(wanted - presented)
    if not missing:
        return ()
    return (
        Breach(
            Law.NO_WEAKER,
            f"Not presented: {', '.join(missing)}.",
            "Present what the path declares; nothing else stands in for it.",
            "method",
        ),
    )
