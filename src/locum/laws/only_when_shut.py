"""Law 4, only when the front door is shut (the interlock).

A path opens for a declared cause that holds now, and closes when the primary is back. Each cause
has its own evidence: `outage` a probe that fails now or, where the path declares none, an incident
that the approvers confirm; `planned-rotation` the announced window; `drill` the schedule; `lost`
the person's own report. A disabled
identity forbids every path. What cannot be decided is not a cause. Source: design §2, ZT-4, BG-A2.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from locum.laws.rotation_window import open_now, window_can_be_shown
from locum.model.cause import Cause, Observation
from locum.model.estate import Identity, Kind
from locum.model.path import CloseRule, Path
from locum.model.refusal import Breach, Law
from locum.model.request import Ask

FRESH = timedelta(seconds=10)
"""How old an observation of the primary may be and still say what holds now."""


class Shut(msgspec.Struct, frozen=True):
    """The front door is shut; `proof` says by which fact."""

    proof: str


def causes_can_be_shown(path: Path) -> tuple[Breach, ...]:
    """Law 4 at declaration: each declared cause has something that can show it."""
    breaches: list[Breach] = []
    if Cause.OUTAGE in path.causes and path.probe is None and path.approvals is None:
        breaches.append(
            _breach(
                "The cause `outage` has neither a `probe` nor approvers who confirm an incident.",
                "Declare a `probe` of the primary, or `approvals`.",
                "probe",
            )
        )
    if Cause.DRILL in path.causes and path.drill is None:
        breaches.append(
            _breach(
                "The cause `drill` has no schedule.",
                "Declare `drill: {every: 90d}`.",
                "drill",
            )
        )
    if CloseRule.RESTORED in path.closes and path.probe is None:
        breaches.append(
            _breach(
                "`closes: [restored]` needs a probe that sees the primary come back.",
                "Declare a `probe`, or leave `restored` out.",
                "closes",
            )
        )
    return (*breaches, *window_can_be_shown(path))


def declared_cause(path: Path, identity: Identity, cause: Cause) -> tuple[Breach, ...]:
    """The cause is declared, and the identity is not disabled."""
    if identity.disabled:
        return (
            _breach(
                f"{identity.name} is disabled, which forbids every path.",
                "Nothing opens for a disabled identity; enable it in the estate first.",
                "disabled",
            ),
        )
    drills = cause is Cause.DRILL and path.drill is not None
    if cause not in path.causes and not drills:
        declared = ", ".join(sorted(one.value for one in path.causes))
        return (
            _breach(
                f"`{cause.value}` is not a cause of {path.name}.",
                f"Ask for a declared cause: {declared}.",
                "causes",
            ),
        )
    return ()


def front_door_shut(
    path: Path,
    identity: Identity,
    ask: Ask,
    *,
    observation: Observation | None,
    drilled_at: datetime | None,
    now: datetime,
) -> Shut | Breach:
    """Decide whether the cause holds now.

    Args:
        observation: what the path's probe saw last; `None` where it was not run.
        drilled_at: when the last drill closed; `None` where there was none.

    Returns:
        `Shut` with the fact that showed it, or the breach.
    """
    match ask.cause:
        case Cause.OUTAGE:
            return _outage(path, ask, observation, now)
        case Cause.DRILL:
            return _drill(path, drilled_at, now)
        case Cause.LOST:
            if identity.kind is Kind.HUMAN and ask.requester == identity.name:
                return Shut("loss reported by the person")
            return _breach(
                "A loss is reported by the person who lost the authenticator.",
                f"Have {identity.name} report it.",
                "causes",
            )
        case Cause.PLANNED_ROTATION:
            return _rotation(ask, now)
        case Cause.LAPSED:
            return _breach(
                f"Nothing here can show that `{ask.cause.value}` holds for {path.name}.",
                "Undecided is refused. Ask for a cause that can be shown.",
                "causes",
            )
        case _:
            assert_never(ask.cause)


def _outage(path: Path, ask: Ask, observation: Observation | None, now: datetime) -> Shut | Breach:
    if path.probe is None:
        if ask.evidence.incident and path.approvals is not None:
            return Shut(f"incident {ask.evidence.incident}, confirmed by the approvers")
        return _breach(
            "No probe can tell whether the primary is down, and no incident was named.",
            "Name the incident in the request (`--incident INC-…`); the approvers confirm it.",
            "probe",
        )
    if observation is None or not timedelta(0) <= now - observation.at <= FRESH:
        return _breach(
            "The path's probe has no fresh answer, so it is undecided whether the primary is down.",
            "Try again; if it stays so, look at the probe and at Locum's own network.",
            "probe",
        )
    if observation.up:
        return _breach(
            f"The primary is up: {observation.detail}.",
            "Use the primary. The path opens while its probe fails.",
            "probe",
        )
    return Shut(f"probe fails: {observation.detail}")


def _rotation(ask: Ask, now: datetime) -> Shut | Breach:
    window = ask.evidence.window
    closed = open_now(window, now)
    if closed or window is None:
        return closed[0]
    return Shut(
        f"rotation planned from {window.opens.isoformat()} until {window.until.isoformat()}, "
        f"announced {ask.asked_at.isoformat()} by {ask.requester}"
    )


def _drill(path: Path, drilled_at: datetime | None, now: datetime) -> Shut | Breach:
    if path.drill is None:
        return _breach(f"{path.name} declares no drill.", "Declare `drill: {every: 90d}`.", "drill")
    if drilled_at is None:
        return Shut("first drill of the path")
    opens = drilled_at + path.drill.every - path.drill.lead
    if now < opens:
        return _breach(
            f"The last drill was at {drilled_at.isoformat()}; the next is due "
            f"{(drilled_at + path.drill.every).isoformat()}.",
            f"Drill from {opens.isoformat()} on.",
            "drill",
        )
    return Shut(f"drill scheduled, last at {drilled_at.isoformat()}")


def restored(path: Path, cause: Cause, observation: Observation | None, now: datetime) -> bool:
    """Tell whether an open grant must close because the primary is seen to be back."""
    return (
        cause is Cause.OUTAGE
        and CloseRule.RESTORED in path.closes
        and observation is not None
        and timedelta(0) <= now - observation.at <= FRESH
        and observation.up
    )


def _breach(fact: str, remedy: str, field: str) -> Breach:
    return Breach(Law.ONLY_WHEN_SHUT, fact, remedy, field, ("ZT-4",))
