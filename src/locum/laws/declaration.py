"""The laws at declaration: what is wrong with an estate before anybody asks for anything.

A waiver in date turns a downgrade from an error into a warning; it is never silent.
Source: design §2, §5.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from locum.laws.never_unseen import drilled_in_time
from locum.laws.no_longer import bounds, not_ended
from locum.laws.no_one_alone import enough_people
from locum.laws.no_weaker import unverified_servers, waived, weaker_than_primary
from locum.laws.no_wider import no_wider
from locum.laws.only_when_shut import causes_can_be_shown
from locum.laws.same_checks import demands_as_much
from locum.model.estate import Estate, Identity
from locum.model.names import PathName
from locum.model.path import Path
from locum.model.refusal import Breach, Law

Severity = Literal["error", "warning", "note"]


class Finding(msgspec.Struct, frozen=True):
    """A law broken, or a downgrade accepted, by one declared path."""

    path: PathName
    breach: Breach
    severity: Severity


def judge_estate(estate: Estate, now: datetime) -> tuple[Finding, ...]:
    """Check every declared path against the laws.

    Args:
        estate: parsed and cross-checked.
        now: aware UTC, for ends and waivers.

    Returns:
        Findings ordered by path; those of severity `error` refuse the estate.
    """
    return tuple(
        finding
        for path in estate.paths()
        for finding in judge_path(path, estate.identities[path.name.identity], estate, now)
    )


def judge_path(
    path: Path, identity: Identity, estate: Estate, now: datetime
) -> tuple[Finding, ...]:
    """Check one declared path against the laws."""
    breaches = (
        *no_wider(path, identity),
        *bounds(path),
        *causes_can_be_shown(path),
        *enough_people(path, identity, estate),
        *demands_as_much(path, identity),
    )
    return (
        *_downgrade(path, identity, now),
        *(Finding(path.name, breach, "error") for breach in breaches),
        *(Finding(path.name, breach, "warning") for breach in unverified_servers(path, estate)),
        *(Finding(path.name, breach, "warning") for breach in not_ended(path, now)),
    )


def judge_rehearsal(path: Path, drilled_at: datetime | None, now: datetime) -> tuple[Finding, ...]:
    """Find a drill that is due, from what the running Locum knows."""
    return tuple(
        Finding(path.name, breach, "warning") for breach in drilled_in_time(path, drilled_at, now)
    )


def _downgrade(path: Path, identity: Identity, now: datetime) -> tuple[Finding, ...]:
    breaches = weaker_than_primary(path, identity)
    if not breaches:
        if path.waiver is None:
            return ()
        unneeded = Breach(
            Law.NO_WEAKER,
            "The waiver accepts a downgrade that does not exist.",
            "Remove the waiver.",
            "waiver",
        )
        return (Finding(path.name, unneeded, "note"),)
    if path.waiver is None or not waived(path, now):
        ended = (
            "" if path.waiver is None else f" Its waiver ended at {path.waiver.until.isoformat()}."
        )
        return tuple(
            Finding(path.name, msgspec.structs.replace(breach, fact=breach.fact + ended), "error")
            for breach in breaches
        )
    accepted = (
        f" Accepted by {path.waiver.owner} until {path.waiver.until.date().isoformat()}: "
        f"{path.waiver.reason}."
    )
    return tuple(
        Finding(path.name, msgspec.structs.replace(breach, fact=breach.fact + accepted), "warning")
        for breach in breaches
    )
