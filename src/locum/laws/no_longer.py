"""Law 3, no longer: a path has an end date, a grant a hard end and a use limit.

There is no renewal. Nothing is valid from its end on, even if every process is dead: the end is
inside the credential. Source: design §2; OWASP NHI7; SP 800-53r5 AC-2(2) (BG-N1).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from locum.model.cause import Window
from locum.model.path import Path
from locum.model.refusal import Breach, Law
from locum.model.request import Grant

LONGEST_GRANT = timedelta(hours=24)


def bounds(path: Path) -> tuple[Breach, ...]:
    """Law 3 at declaration: the limits bound what they should."""
    breaches: list[Breach] = []
    limits = path.limits
    if limits.ttl > LONGEST_GRANT:
        breaches.append(
            _breach(
                f"`limits.ttl` is {_words(limits.ttl)}; a grant lives for "
                f"{_words(LONGEST_GRANT)} at the most.",
                f"Set `limits.ttl` to {_words(LONGEST_GRANT)} or less.",
                "limits.ttl",
            )
        )
    if limits.window is not None and limits.ttl > limits.window:
        breaches.append(
            _breach(
                f"`limits.ttl` is {_words(limits.ttl)}, the path's window is "
                f"{_words(limits.window)}: the credential would outlive the window.",
                f"Set `limits.ttl` to {_words(limits.window)} or less, or widen `limits.window`.",
                "limits.ttl",
            )
        )
    return tuple(breaches)


def not_ended(path: Path, now: datetime) -> tuple[Breach, ...]:
    """The path's end date has not passed."""
    if now < path.until:
        return ()
    return (
        _breach(
            f"The path ended at {path.until.isoformat()}.",
            "Remove the path, or have its owner declare a new `until`.",
            "until",
        ),
    )


def hard_end(path: Path, now: datetime, window: Window | None = None) -> datetime:
    """The instant at which a grant opened now ends: the ttl, cut by the path's end and window."""
    end = min(now + path.limits.ttl, path.until)
    return end if window is None else min(end, window.until)


def still_valid(grant: Grant, used: int, now: datetime) -> tuple[Breach, ...]:
    """Law 3 at use: before the hard end, and within the use limit."""
    if now >= grant.ends_at:
        return (
            _breach(
                f"The grant ended at {grant.ends_at.isoformat()}.",
                "Ask anew if the primary is still unavailable.",
                "limits.ttl",
            ),
        )
    if used >= grant.uses:
        return (
            _breach(
                f"The grant's credential was taken {used} of {grant.uses} times.",
                "Close the grant and ask anew; a credential is delivered no more often than "
                "`limits.uses` says.",
                "limits.uses",
            ),
        )
    return ()


def _breach(fact: str, remedy: str, field: str) -> Breach:
    return Breach(Law.NO_LONGER, fact, remedy, field, ("NHI7", "BG-N1"))


def _words(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
