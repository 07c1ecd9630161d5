"""Assess an estate: solve it, find what is wrong, judge each fallback."""

from __future__ import annotations

from datetime import datetime

import msgspec
import numpy as np

from locum.estate.analysis.detect import Findings, detect
from locum.estate.analysis.solved import Solved, solve
from locum.estate.analysis.verdicts import Verdicts, judge
from locum.estate.graph.chart import Chart
from locum.estate.graph.ending import as_of
from locum.estate.graph.solving import Progress
from locum.estate.graph.ways import minutes
from locum.estate.inventory import Role


class Assessment(msgspec.Struct, frozen=True):
    """An estate with everything that was found out about it.

    Args:
        chart: as it is then, without what has ended.
        now: minutes since 1970, when it was asked.
    """

    chart: Chart
    solved: Solved
    findings: Findings
    verdicts: Verdicts
    now: int


def _quiet(_: float) -> None:
    """Tell nobody."""


def assess(
    chart: Chart,
    now: datetime,
    progress: Progress = _quiet,
    refused: frozenset[str] = frozenset(),
) -> Assessment:
    """Solve, find, judge.

    Args:
        now: aware UTC.
        progress: told how much is done, from 0 to 1.
        refused: declared paths that break a law by themselves.
    """
    return assess_at(chart, minutes(now), progress, refused)


def assess_at(
    chart: Chart, now: int, progress: Progress = _quiet, refused: frozenset[str] = frozenset()
) -> Assessment:
    """As `assess`, at minutes since 1970."""
    chart = as_of(chart, now)
    solved = solve(chart, progress)
    findings = detect(chart, solved, now)
    verdicts = judge(chart, findings, now, _rows(chart, refused))
    progress(1.0)
    return Assessment(chart, solved, findings, verdicts, now)


def _rows(chart: Chart, paths: frozenset[str]) -> list[int]:
    """The rows of these declared paths."""
    if not paths:
        return []
    declared = np.flatnonzero(chart.ways.role == Role.DECLARED.value)
    return [int(row) for row in declared if chart.names[int(chart.ways.vertex[row])] in paths]
