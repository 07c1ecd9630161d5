"""Make up an estate of any size, the same for the same seed."""

from __future__ import annotations

import msgspec
import numpy as np

from locum.estate.analysis.detect import Findings
from locum.estate.analysis.rules import Rule
from locum.estate.generating.faults import Truth, plant
from locum.estate.generating.growing import Growing
from locum.estate.generating.population import populate
from locum.estate.graph.chart import Chart
from locum.estate.inventory import Role

_ONE_IN = 2_000
"""One planted fault of each kind for so many identities, and at least two."""


class Generated(msgspec.Struct, frozen=True):
    """An estate with its ground truth."""

    chart: Chart
    truth: Truth


class Score(msgspec.Struct, frozen=True):
    """How well one kind of planted fault was found."""

    planted: int
    found: int
    right: int

    @property
    def recall(self) -> float:
        """Of what was planted, the share that was found."""
        return self.right / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Of what was found, the share that was planted."""
        return self.right / self.found if self.found else 1.0


def generate(identities: int, seed: int, now: int) -> Generated:
    """Make up an estate.

    Args:
        identities: about how many; 300 at the least.
        now: minutes since 1970, by which ages are told.
    """
    rng = np.random.default_rng(seed)
    growing = Growing()
    each = max(2, identities // _ONE_IN)
    made = populate(growing, identities, rng, now)
    truth = plant(growing, made, each, rng, now)
    chart = growing.chart()
    ways = chart.ways
    old = (ways.created >= 0) & (ways.created < now - 365 * 24 * 60)
    keys = old & (ways.role == Role.PRIMARY.value)
    truth[Rule.OLD] = np.unique(ways.identity[keys])
    return Generated(chart, truth)


def score(chart: Chart, truth: Truth, findings: Findings) -> dict[Rule, Score]:
    """Compare what was found with what was planted, by identity."""
    scores: dict[Rule, Score] = {}
    for rule, planted in truth.items():
        mine = findings.rule == rule
        row = findings.row[mine]
        whose = np.where(row >= 0, chart.ways.identity[row], findings.vertex[mine])
        found = np.unique(whose)
        right = len(np.intersect1d(found, planted))
        scores[rule] = Score(len(np.unique(planted)), len(found), right)
    return scores
