"""Check an estate: form, names, each path by the laws, and the whole as a graph."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from locum.estate.analysis.assess import Assessment, assess
from locum.estate.analysis.told import tell_all
from locum.estate.analysis.verdicts import Verdict
from locum.estate.declared import inventory_of
from locum.estate.graph.chart import chart
from locum.estate.graph.solving import Progress
from locum.estate.loading import judged, load
from locum.estate.problem import EstateError, Problem
from locum.estate.rules import law_of

IN_FULL = 1_000
"""Findings that are told with their chain and a remedy that was tried."""


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
    """

    problems: tuple[Problem, ...]
    identities: int
    paths: int
    notes: tuple[Problem, ...] = ()
    verdicts: tuple[Judged, ...] = ()
    assessment: Assessment | None = None

    @property
    def refused(self) -> bool:
        """Whether the estate cannot be used."""
        return any(problem.severity == "error" for problem in self.problems)


def _quiet(_: float) -> None:
    """Tell nobody."""


def check(
    source: Path, now: datetime, progress: Progress = _quiet, in_full: int = IN_FULL
) -> Report:
    """Find everything that is wrong with an estate.

    The laws are asked once form and names are right, because they need the whole.

    Args:
        now: aware UTC.
        in_full: how many findings of the graph are told with their chain.
    """
    try:
        loaded = load(source)
    except EstateError as error:
        return Report(error.problems, 0, 0)
    by_path = judged(loaded, now)
    assessment = assess(chart(inventory_of(loaded.estate, loaded.document, now)), now, progress)
    known = {(law_of(problem.rule), problem.subject) for problem in by_path}
    by_graph = [
        problem
        for problem in tell_all(assessment, in_full)
        if (law_of(problem.rule), problem.subject) not in known
    ]
    return Report(
        (*by_path, *(one for one in by_graph if one.severity != "note")),
        len(loaded.estate.identities),
        len(loaded.estate.paths()),
        tuple(one for one in by_graph if one.severity == "note"),
        verdicts_of(assessment),
        assessment,
    )


def verdicts_of(assessment: Assessment) -> tuple[Judged, ...]:
    """Every fallback's verdict, in words."""
    found, chart = assessment.verdicts, assessment.chart
    return tuple(
        Judged(
            chart.names[int(chart.ways.vertex[row])],
            Verdict(int(verdict)),
            tuple(found.words(at)),
        )
        for at, (row, verdict) in enumerate(zip(found.row, found.verdict, strict=True))
    )
