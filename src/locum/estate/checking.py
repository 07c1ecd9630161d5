"""Check an estate: form, names, each path by the laws, and the whole as a graph."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.assess import Assessment, assess
from locum.estate.analysis.rules import Rule
from locum.estate.analysis.told import (
    SEVERITIES,
    fingerprint_at,
    in_order,
    severities,
    tell,
    tell_all,
)
from locum.estate.analysis.verdicts import Verdict
from locum.estate.declared import inventory_of
from locum.estate.graph.chart import Chart, chart
from locum.estate.graph.columns import Kind
from locum.estate.graph.reading import is_stored, read_chart
from locum.estate.graph.solving import Progress
from locum.estate.inventory import Role
from locum.estate.loading import judged, load
from locum.estate.problem import EstateError, Problem, Severity
from locum.estate.rules import law_of

IN_FULL = 1_000
"""Findings that are told with their chain and a remedy that was tried."""
LISTED = 10_000
"""Findings that are told at all; all are counted."""


class Judged(msgspec.Struct, frozen=True):
    """What should become of one fallback, and why."""

    path: str
    verdict: Verdict
    reasons: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """What `locum check` found.

    Args:
        notes: what may be known about the whole and need not be mended.
        assessment: the whole as a graph; `None` where it could not be read.
        unlisted: of each rule, how many findings are counted and not told.
        gravest_unlisted: the severity of the gravest of those; none of them is in a baseline.
        known: how many findings stand in the baseline, and are neither told nor counted otherwise.
    """

    problems: tuple[Problem, ...]
    identities: int
    paths: int
    notes: tuple[Problem, ...] = ()
    verdicts: tuple[Judged, ...] = ()
    assessment: Assessment | None = None
    unlisted: tuple[tuple[str, int], ...] = ()
    gravest_unlisted: Severity | None = None
    known: int = 0

    @property
    def refused(self) -> bool:
        """Whether the estate cannot be used."""
        return self.has("error")

    @property
    def is_whole(self) -> bool:
        """Whether the estate could be read; if not, its laws were not asked."""
        return self.assessment is not None

    def has(self, severity: Severity) -> bool:
        """Whether something is as grave, be it listed or not."""
        found = {one.severity for one in (*self.problems, *self.notes)} | {self.gravest_unlisted}
        wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return not found.isdisjoint(wanted)


def _quiet(_: float) -> None:
    """Tell nobody."""


def check(
    source: Path,
    now: datetime,
    progress: Progress = _quiet,
    in_full: int = IN_FULL,
    listed: int = LISTED,
    baseline: frozenset[str] = frozenset(),
) -> Report:
    """Find everything that is wrong with an estate, of YAML files or a stored graph.

    The laws are asked once form and names are right, because they need the whole.

    Args:
        now: aware UTC.
        in_full: how many findings of the graph are told with their chain.
        listed: how many are told at all.
        baseline: fingerprints of what is known. An estate that cannot be read keeps every problem:
            who knows that it is broken knows nothing of what it breaks.

    Raises:
        MalformedInput: a stored graph is damaged.
    """
    if is_stored(source):
        return of_chart(read_chart(source), now, progress, in_full, listed, (), baseline)
    try:
        loaded = load(source)
    except EstateError as error:
        return Report(error.problems, 0, 0)
    drawn = chart(inventory_of(loaded.estate, loaded.document))
    return of_chart(drawn, now, progress, in_full, listed, judged(loaded, now), baseline)


def of_chart(
    drawn: Chart,
    now: datetime,
    progress: Progress = _quiet,
    in_full: int = IN_FULL,
    listed: int = LISTED,
    by_path: tuple[Problem, ...] = (),
    baseline: frozenset[str] = frozenset(),
) -> Report:
    """Find everything that is wrong with a chart.

    Args:
        by_path: what is known already of single paths; it is not told twice.
        baseline: fingerprints of what is known; what is listed is the rest.
    """
    refused = frozenset(one.subject for one in by_path if one.severity == "error")
    assessment = assess(drawn, now, progress, refused)
    found = in_order(assessment)
    said, apart = _told_by_path(assessment, found, by_path, in_full)
    order = apart[_new(assessment, apart, baseline)]
    new_by_path = tuple(one for one in said if one.fingerprint not in baseline)
    told = list(tell_all(assessment, order[:listed], in_full))
    roles = drawn.ways.role
    rest = order[listed:]
    return Report(
        (*new_by_path, *(one for one in told if one.severity != "note")),
        int((drawn.graph.kind == Kind.IDENTITY).sum()),
        int((roles == Role.DECLARED.value).sum()),
        tuple(one for one in told if one.severity == "note"),
        verdicts_of(assessment, listed),
        assessment,
        _counted(assessment, rest),
        SEVERITIES[int(severities(assessment)[rest[0]])] if len(rest) else None,
        len(by_path) - len(new_by_path) + len(apart) - len(order),
    )


def _told_by_path(
    assessment: Assessment, found: NDArray[np.int64], by_path: tuple[Problem, ...], in_full: int
) -> tuple[list[Problem], NDArray[np.int64]]:
    """What is known of single paths, as the graph shows it; and the findings that say more."""
    known: dict[tuple[int, str], int] = {}
    for place, problem in enumerate(by_path):
        known.setdefault((law_of(problem.rule), problem.subject), place)
    said, apart = list(by_path), np.ones(len(found), bool)
    for number, at in enumerate(map(int, found) if known else ()):
        brief = tell(assessment, at, in_full=False)
        there = known.get((law_of(brief.rule), brief.subject))
        if there is not None and _is_told(brief, said[there]):
            said[there] = _shown(said[there], tell(assessment, at, number < in_full))
            apart[number] = False
    return said, found[apart]


def _new(
    assessment: Assessment, found: NDArray[np.int64], baseline: frozenset[str]
) -> NDArray[np.bool_]:
    """Which of the findings a baseline does not know."""
    mask = np.ones(len(found), bool)
    if baseline:
        for number, at in enumerate(found):
            mask[number] = fingerprint_at(assessment, int(at)) not in baseline
    return mask


def _is_told(problem: Problem, by_path: Problem) -> bool:
    """Whether what the laws say of a path alone says as much.

    A downgrade may be worse than it looks once what stands behind it is followed; then it is told.
    """
    if problem.rule != Rule.WEAKER_BEHIND.id:
        return by_path.severity == "error"
    lacking = problem.fact.rpartition("(")[2].rstrip(".)")
    return lacking in by_path.fact


def _shown(by_path: Problem, problem: Problem) -> Problem:
    """What the laws say of a path, with the chain of the graph and a remedy that was tried."""
    if by_path.chain or not problem.chain:
        return by_path
    shown = msgspec.structs.replace(by_path, chain=problem.chain)
    # To remove the path mends anything, and is what nobody need be told.
    removed = problem.remedy == f"Remove {problem.subject}."
    if not problem.checked or removed or by_path.severity != "error":
        return shown
    remedy = f"{by_path.remedy} Tried: {problem.remedy}"
    return msgspec.structs.replace(shown, remedy=remedy, checked=True)


def _counted(assessment: Assessment, order: NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    """How many of these findings each rule has."""
    rest = assessment.findings.rule[order]
    count = np.bincount(rest, minlength=len(Rule))
    return tuple((Rule(at).id, int(many)) for at, many in enumerate(count) if many)


def verdicts_of(assessment: Assessment, listed: int = LISTED) -> tuple[Judged, ...]:
    """The verdicts of so many fallbacks, in words; those that should go come first."""
    found, chart = assessment.verdicts, assessment.chart
    chosen = np.argsort(-found.verdict.astype(np.int8), kind="stable")[:listed]
    return tuple(
        Judged(
            chart.names[int(chart.ways.vertex[row])],
            Verdict(int(verdict)),
            tuple(found.words(at)),
        )
        for at, row, verdict in ((int(one), found.row[one], found.verdict[one]) for one in chosen)
    )
