"""What the page shows, as one value: a file carries it now, a console may send it later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
import numpy as np

from locum import __version__
from locum.estate.analysis.assess import Assessment
from locum.estate.analysis.local import behind
from locum.estate.analysis.solved import levels
from locum.estate.analysis.told import in_order
from locum.estate.analysis.verdicts import Verdict
from locum.estate.analysis.words import shown, strength_words
from locum.estate.checking import Report
from locum.estate.graph.columns import Kind, Why
from locum.estate.graph.lattice import is_no_way
from locum.estate.problem import Problem
from locum.estate.rules import law_of

KIND: Literal["locum.report/1"] = "locum.report/1"
DRAWN = 2_500
"""Vertices that are drawn at the most; of a larger estate, those behind the gravest findings."""
_LOSSES = 200


class LastFinding(msgspec.Struct, frozen=True):
    """A finding of the report before."""

    fingerprint: str
    rule: str
    subject: str
    fact: str


class LastCounts(msgspec.Struct, frozen=True):
    """How many there were in the report before."""

    errors: int
    warnings: int


class Last(msgspec.Struct, frozen=True):
    """The report before, as far as a trend needs it."""

    kind: Literal["locum.report/1"]
    made_at: str
    counts: LastCounts
    findings: tuple[LastFinding, ...]


def page_data(report: Report, title: str, made_at: str, last: Last | None = None) -> dict[str, Any]:
    """Everything that the page shows.

    Args:
        made_at: when, in UTC.
        last: the report before, for the trend.
    """
    assessment = report.assessment
    told = [*report.problems, *report.notes]
    known = set() if last is None else {one.fingerprint for one in last.findings}
    vertices: list[dict[str, Any]] = []
    arcs: list[dict[str, Any]] = []
    if assessment is not None:
        vertices, arcs = _drawn(assessment)
    number = {one["name"]: one["id"] for one in vertices}
    findings = [
        _finding(one, number, last is not None and one.fingerprint not in known) for one in told
    ]
    return {
        "kind": KIND,
        "title": title,
        "made_at": made_at,
        "locum": __version__,
        "counts": _counts(report),
        "trend": None if last is None else _trend(last, told),
        "vertices": vertices,
        "arcs": arcs,
        "findings": findings,
        "verdicts": [
            {"path": one.path, "verdict": one.verdict.name.lower(), "reasons": list(one.reasons)}
            for one in report.verdicts
        ],
        "lock_outs": [] if assessment is None else _lock_outs(assessment, number),
        "unlisted": dict(report.unlisted),
        "truncated": None
        if assessment is None or len(vertices) == assessment.chart.graph.vertices
        else {"drawn": len(vertices), "of": assessment.chart.graph.vertices},
    }


def _counts(report: Report) -> dict[str, int]:
    errors = sum(one.severity == "error" for one in report.problems)
    counts = {
        "identities": report.identities,
        "paths": report.paths,
        "errors": errors,
        "warnings": len(report.problems) - errors,
        "notes": len(report.notes),
        "people": 0,
    }
    if report.assessment is not None:
        verdict = report.assessment.verdicts.verdict
        counts["people"] = int(report.assessment.chart.person.sum())
        for one in Verdict:
            counts[one.name.lower()] = int((verdict == one).sum())
    return counts


def _trend(last: Last, told: Iterable[Problem]) -> dict[str, Any]:
    now = {one.fingerprint for one in told}
    return {
        "before": last.made_at,
        "counts": msgspec.to_builtins(last.counts),
        "gone": [
            {"rule": one.rule, "subject": one.subject, "fact": one.fact}
            for one in last.findings
            if one.fingerprint not in now
        ],
    }


def _drawn(
    assessment: Assessment,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Vertices and arcs: all of them, or those behind the gravest findings."""
    chart, value = assessment.chart, assessment.solved.value
    graph = chart.graph
    chosen = np.arange(graph.vertices)
    if graph.vertices > DRAWN:
        chosen = _behind_findings(assessment)
    number = np.full(graph.vertices, -1, np.int64)
    number[chosen] = np.arange(len(chosen))
    level = levels()
    vertices = [
        {
            "id": at,
            "name": chart.names[vertex],
            "shown": shown(chart.names[vertex]),
            "kind": Kind(int(graph.kind[vertex])).shown,
            "person": bool(chart.person[vertex]),
            "privileged": bool(chart.privileged[vertex]),
            "worth": strength_words(int(value[vertex])),
            "level": _level(int(value[vertex]), level),
            "base": int(graph.base[vertex]),
            "unknown": bool(chart.unknown[vertex]),
            "place": str(chart.places[vertex]) if chart.places[vertex].file else "",
        }
        for at, vertex in enumerate(map(int, chosen))
    ]
    arcs: list[dict[str, Any]] = []
    for at, vertex in enumerate(map(int, chosen)):
        for arc in range(int(graph.first[vertex]), int(graph.first[vertex + 1])):
            body = number[graph.body[graph.body_first[arc] : graph.body_first[arc + 1]]]
            if (body < 0).any():
                continue
            arcs.append(
                {
                    "head": at,
                    "body": body.tolist(),
                    "need": int(graph.need[arc]),
                    "own": int(graph.own[arc]),
                    "use": int(graph.use[arc]),
                    "why": Why(int(graph.why[arc])).name.lower().replace("_", "-"),
                }
            )
    return vertices, arcs


def _behind_findings(assessment: Assessment) -> np.ndarray[Any, Any]:
    """What stands behind the gravest findings, until the page is full."""
    found, ways = assessment.findings, assessment.chart.ways
    chosen: set[int] = set()
    for at in in_order(assessment):
        row = int(found.row[at])
        start = int(ways.identity[row]) if row >= 0 else int(found.vertex[at])
        local = behind(assessment.chart, [start]).vertices
        if len(chosen) + len(local) > DRAWN:
            break
        chosen.update(map(int, local))
    return np.array(sorted(chosen), np.int64)


def _level(word: int, level: np.ndarray[Any, Any]) -> int:
    """0 weakest to 3 strongest, for a colour: by factors, then by what a phisher gets."""
    if is_no_way(word):
        return -1
    factors, phishing = int(level[0, word]), int(level[1, word])
    return factors + (factors == 2 and phishing == 2)


def _finding(one: Problem, number: dict[str, int], new: bool) -> dict[str, Any]:
    start = next(
        (number[name] for name in (one.subject, f"{one.subject}#primary") if name in number), None
    )
    return {
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "law": law_of(one.rule),
        "severity": one.severity,
        "subject": one.subject,
        "fact": one.fact,
        "remedy": one.remedy,
        "checked": one.checked,
        "clauses": list(one.clauses),
        "chain": list(one.chain),
        "place": str(one.position),
        "reach": one.reach,
        "vertex": start,
        "new": new,
    }


def _lock_outs(assessment: Assessment, number: dict[str, int]) -> list[dict[str, Any]]:
    """The single losses that lock most identities out."""
    chart, lost = assessment.chart, assessment.solved.losses
    people = np.flatnonzero(chart.graph.kind == Kind.IDENTITY)
    whom: dict[int, list[int]] = {}
    counted: dict[int, int] = {}
    for vertex in map(int, people[:200_000]):
        for one in lost.of(vertex) or ():
            counted[one] = counted.get(one, 0) + 1
            if len(whom.setdefault(one, [])) < 50:
                whom[one].append(vertex)
    most = sorted(counted, key=lambda one: (-counted[one], one))
    most = [one for one in most if chart.graph.kind[one] != Kind.AUTHENTICATOR][:_LOSSES]
    return [
        {
            "lost": shown(chart.names[one]),
            "vertex": number.get(chart.names[one]),
            "count": counted[one],
            "identities": [chart.names[vertex] for vertex in whom[one]],
        }
        for one in most
    ]
