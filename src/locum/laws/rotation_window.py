"""The window of a planned rotation: announced ahead, no longer than declared (laws 3 and 4).

A window is announced with the request or follows from the declared schedule. Outside it nothing
opens, and nothing that opened inside it lives past its end. Source: design §2; NHI7.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from locum.model.cause import Cause, Window
from locum.model.path import Path
from locum.model.refusal import Breach, Law

AHEAD = timedelta(days=31)
"""How far ahead a window may be announced: what is known later is announced later."""


def window_can_be_shown(path: Path) -> tuple[Breach, ...]:
    """At declaration: a path for planned rotations says how long one may take."""
    if Cause.PLANNED_ROTATION not in path.causes or path.limits.window is not None:
        return ()
    return (
        _breach(
            "The cause `planned-rotation` has no `limits.window`.",
            "Say how long a rotation takes, e.g. `limits: {ttl: 20m, window: 30m}`.",
            "limits.window",
        ),
    )


def scheduled_window(path: Path, now: datetime) -> Window | None:
    """The declared schedule's window that is open now, or else the next; `None` without one."""
    plan, longest = path.rotation, path.limits.window
    if plan is None or longest is None:
        return None
    turns = max(0, (now - plan.first) // plan.every)
    opens = plan.first + turns * plan.every
    if now >= opens + longest:
        opens += plan.every
    return Window(opens, opens + longest)


def announced(path: Path, window: Window | None, now: datetime) -> tuple[Breach, ...]:
    """Say what keeps a window from being announced now.

    Args:
        window: as the request names it, or as the schedule has it; `None` where there is neither.
    """
    if window is None:
        return (
            _breach(
                "No window was announced, and the path declares no schedule.",
                "Say when the rotation is planned: `--from` and `--until` "
                "(`evidence: {window: {from, until}}`).",
                "rotation",
            ),
        )
    longest = path.limits.window or timedelta(0)
    facts: list[tuple[str, str]] = []
    if window.opens >= window.until:
        facts.append(("The window ends before it opens.", "Name its beginning first."))
    if window.until <= now:
        facts.append(
            (f"The window ended at {window.until.isoformat()}.", "Announce one that is to come.")
        )
    if window.until - window.opens > longest:
        facts.append(
            (
                f"The window is {_minutes(window.until - window.opens)} long; the path allows "
                f"{_minutes(longest)}.",
                "Announce a shorter one, or have the owner widen `limits.window`.",
            )
        )
    if window.opens > now + AHEAD:
        facts.append(
            (f"The window opens more than {AHEAD.days} days ahead.", "Announce it nearer to it.")
        )
    return tuple(_breach(fact, remedy, "limits.window") for fact, remedy in facts)


def open_now(window: Window | None, now: datetime) -> tuple[Breach, ...]:
    """Say why a window is not open now, with when it is."""
    if window is None:
        return (_breach("The request names no window.", "Ask anew, with one.", "rotation"),)
    if now < window.opens:
        return (
            _breach(
                f"The window opens at {window.opens.isoformat()}.",
                f"Come back then; it is open until {window.until.isoformat()}.",
                "rotation",
            ),
        )
    if now >= window.until:
        return (
            _breach(
                f"The window ended at {window.until.isoformat()}.",
                "Announce another one.",
                "rotation",
            ),
        )
    return ()


def _minutes(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes} min" if not seconds else f"{minutes} min {seconds} s"


def _breach(fact: str, remedy: str, field: str) -> Breach:
    return Breach(Law.ONLY_WHEN_SHUT, fact, remedy, field, ("NHI7",))
