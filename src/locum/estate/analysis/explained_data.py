"""An explanation as data, as the command line and the API give it."""

from __future__ import annotations

from typing import Literal

import msgspec

from locum.estate.analysis.explained import Explanation, Standing
from locum.estate.analysis.words import strength_words
from locum.estate.problem import Severity


class WeakerView(msgspec.Struct, frozen=True):
    """A component in which the weakest way in is below the primary, with the chain to it."""

    component: str
    chain: list[str]


class FoundView(msgspec.Struct, frozen=True):
    """One finding about an identity."""

    rule: str
    subject: str
    severity: Severity
    fact: str
    remedy: str
    fingerprint: str


class StandingView(msgspec.Struct, frozen=True):
    """How one identity stands.

    Args:
        locked_out_by: null where there is no way in at all.
        locked_out_by_more: by more things than are told; `locked_out_by` is empty.
    """

    weakest: str
    ways: dict[str, str]
    weaker_than_primary: list[WeakerView]
    falls_to: list[str]
    falls_to_pairs: list[list[str]]
    locked_out_by: list[str] | None
    locked_out_by_more: bool
    findings: list[FoundView]


class ExplanationView(msgspec.Struct, frozen=True):
    """How one identity stands now, and how it would then.

    Args:
        looked_at: how many vertices of the graph it rests on.
        then: null where nothing was thought away or added.
    """

    identity: str
    looked_at: int
    now: StandingView
    then: StandingView | None
    kind: Literal["locum.explain/1"] = "locum.explain/1"


def explanation_view(found: Explanation) -> ExplanationView:
    """Show an explanation."""
    return ExplanationView(
        found.identity,
        found.vertices,
        _standing(found.before),
        None if found.after is None else _standing(found.after),
    )


def _standing(standing: Standing) -> StandingView:
    return StandingView(
        strength_words(standing.weakest),
        {name: strength_words(worth) for name, worth in standing.ways},
        [WeakerView(component, list(chain)) for component, chain in standing.weaker_than_primary],
        list(standing.alone),
        [list(pair) for pair in standing.pairs],
        None if standing.lost_with is None else list(standing.lost_with),
        standing.lost_with_more,
        [
            FoundView(one.rule, one.subject, one.severity, one.fact, one.remedy, one.fingerprint)
            for one in standing.findings
        ],
    )
