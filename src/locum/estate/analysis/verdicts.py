"""Should it exist at all? For each fallback: keep, narrow or retire, and why."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.detect import Findings
from locum.estate.analysis.rules import Rule
from locum.estate.analysis.which_ways import beside_unknown, unused
from locum.estate.graph.chart import Chart
from locum.estate.graph.ways import ACTIVE, NEVER_SEEN, PROBED
from locum.estate.inventory import Role


class Verdict(IntEnum):
    """What should become of a fallback."""

    KEEP = 0
    NARROW = 1
    RETIRE = 2


REASONS: tuple[tuple[Verdict, str], ...] = (
    (Verdict.RETIRE, "it outlived its purpose: its successor is in use"),
    (Verdict.RETIRE, "it is the second of its kind"),
    (Verdict.RETIRE, "it rests on what it recovers, so it opens nothing on the day"),
    (Verdict.RETIRE, "the primary is stronger and short-lived, and this stays for ever"),
    (Verdict.RETIRE, "it goes past single sign-on and is not declared"),
    (Verdict.RETIRE, "it is not used, and nobody answers for it"),
    (Verdict.RETIRE, "it was never used and never rehearsed"),
    (Verdict.RETIRE, "it has ended"),
    (Verdict.RETIRE, "nobody can open it"),
    (Verdict.NARROW, "it is weaker than its primary"),
    (Verdict.NARROW, "it may do more than its primary"),
    (Verdict.NARROW, "it drops checks that the primary demands"),
    (Verdict.NARROW, "it has no end, or is older than a year"),
    (Verdict.NARROW, "one person or one thing is enough to open it"),
    (Verdict.NARROW, "it is not rehearsed in time"),
    (Verdict.NARROW, "a law refuses it as it is declared"),
    (Verdict.NARROW, "nobody says what the primary is, so it is no measure for this"),
    (Verdict.KEEP, "it is no weaker and no wider than its primary, and it ends"),
)
"""Verdicts with their reasons; of several, the first that holds is told first."""
_IDLE, _NEVER, _ENDED, _REFUSED, _UNMEASURED = 5, 6, 7, 15, 16
_BY_RULE = {
    Rule.OUTLIVED: 0,
    Rule.SECOND_KEY: 1,
    Rule.CIRCLE: 2,
    Rule.LONG_LIVED_BESIDE: 3,
    Rule.LOCAL_ADMINISTRATOR: 4,
    Rule.OPENS_NOTHING: 8,
    Rule.WEAKER_BEHIND: 9,
    Rule.WIDER: 10,
    Rule.CHECKS_DROPPED: 11,
    Rule.NEVER_ENDS: 12,
    Rule.OLD: 12,
    Rule.APPROVER_ALONE: 13,
    Rule.APPROVER_RESTS_ON_REQUESTER: 13,
    Rule.APPROVERS_ARE_ONE: 13,
    Rule.NEVER_DRILLED: 14,
}


class Verdicts(msgspec.Struct, frozen=True):
    """Verdicts in columns, for every way but primaries.

    Args:
        row: int32, the way.
        verdict: uint8, a `Verdict`.
        reasons: uint32, a bit for each of `REASONS`.
    """

    row: NDArray[np.int32]
    verdict: NDArray[np.uint8]
    reasons: NDArray[np.uint32]

    def words(self, at: int) -> list[str]:
        """The reasons of one."""
        bits = int(self.reasons[at])
        return [words for number, (_, words) in enumerate(REASONS) if bits >> number & 1]


def judge(chart: Chart, findings: Findings, now: int, refused: Sequence[int] = ()) -> Verdicts:
    """Judge every fallback by what was found about it.

    Args:
        now: minutes since 1970.
        refused: rows of declared paths that break a law; told where the graph shows no reason.
    """
    ways = chart.ways
    reasons = np.zeros(len(ways), np.uint32)
    for rule, reason in _BY_RULE.items():
        rows = findings.row[findings.rule == rule]
        reasons[rows[rows >= 0]] |= 1 << reason
    idle = unused(chart, now)
    reasons[idle & (ways.owned == 0)] |= 1 << _IDLE
    never = (ways.used == NEVER_SEEN) & (ways.drilled == NEVER_SEEN)
    reasons[never & ((ways.flags & PROBED) == 0)] |= 1 << _NEVER
    ended = ((ways.ends >= 0) & (ways.ends <= now)) | ((ways.flags & ACTIVE) == 0)
    reasons[ended] |= 1 << _ENDED
    reasons[beside_unknown(chart)] |= 1 << _UNMEASURED
    alone = np.array(refused, np.int64)
    reasons[alone[reasons[alone] == 0]] = 1 << _REFUSED
    rows = np.flatnonzero(ways.role != Role.PRIMARY.value).astype(np.int32)
    mine = reasons[rows]
    retire = sum(1 << at for at, (verdict, _) in enumerate(REASONS) if verdict is Verdict.RETIRE)
    verdict = np.where(mine & retire, Verdict.RETIRE, np.where(mine, Verdict.NARROW, Verdict.KEEP))
    kept = np.where(mine == 0, np.uint32(1 << len(REASONS) - 1), mine).astype(np.uint32)
    return Verdicts(rows, verdict.astype(np.uint8), kept)
