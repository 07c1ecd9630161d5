"""Law 5, never unseen.

The ledger entry and the state change commit together or not at all; the store's one transaction
sees to that. Every grant ends in a review, and while one is overdue the path is blocked: here is
that half. A path whose last credential is not yet seen dead is blocked too.
Source: design §2; BG-E4, BG-E5, ZT-5/7.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from locum.model.path import Blocks, Path
from locum.model.refusal import Breach, Law


def not_blocked(
    path: Path, *, due: Sequence[str], overdue: Sequence[str], unsettled: Sequence[str]
) -> tuple[Breach, ...]:
    """Say what blocks the path.

    Args:
        due: grants closed and not reviewed.
        overdue: those whose review is late.
        unsettled: closed grants whose credential is not yet seen dead.
    """
    blocking = due if path.review.blocks is Blocks.WHEN_DUE else overdue
    breaches = [
        Breach(
            Law.NEVER_UNSEEN,
            f"The review of {grant} is {'overdue' if grant in overdue else 'due'}.",
            f"Have somebody of {path.review.by} review it: "
            f"`locum review {grant} --verdict emergency --comment …`.",
            "review",
            ("BG-E4",),
        )
        for grant in blocking
    ]
    breaches += [
        Breach(
            Law.NEVER_UNSEEN,
            f"The credential of {grant} is not yet seen dead.",
            "Wait until it is rotated; `locum status` shows what is in its way.",
            "target",
            ("BG-A2",),
        )
        for grant in unsettled
    ]
    return tuple(breaches)


def review_due(path: Path, closed_at: datetime) -> datetime:
    """The instant from which a missing review is overdue."""
    return closed_at + path.review.within


def drilled_in_time(path: Path, drilled_at: datetime | None, now: datetime) -> tuple[Breach, ...]:
    """Say whether a drill is due: a path that is never rehearsed fails on the day (BG-E5)."""
    if path.drill is None:
        return ()
    if drilled_at is not None and now < drilled_at + path.drill.every:
        return ()
    seen = "never drilled" if drilled_at is None else f"last drilled {drilled_at.isoformat()}"
    days = path.drill.every // timedelta(days=1)
    return (
        Breach(
            Law.NEVER_UNSEEN,
            f"The path was {seen}; it is to be drilled every {days} days.",
            f"Run `locum drill {path.name}`.",
            "drill",
            ("BG-E5",),
        ),
    )
