"""Reports of `locum check`: text for people, JSON for programs, SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from locum import __version__
from locum.estate.analysis.verdicts import Verdict
from locum.estate.checking import Report
from locum.estate.problem import Position, Problem
from locum.estate.rules import CLAUSES, RULES, words_of

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"

_MOST = 50
"""Verdicts that are listed as text."""


def as_text(report: Report, notes: bool = False) -> str:
    """Each problem in a few lines: where and which law; what; how it comes about; what to do.

    Args:
        notes: list the notes of the whole estate, too, which are only counted otherwise.
    """
    listed = (*report.problems, *(report.notes if notes else ()))
    return "\n\n".join(
        filter(None, [*map(_block, listed), _judged(report), _counted(report, notes)])
    )


def _judged(report: Report) -> str:
    """What should become of each fallback that should not stay as it is."""
    lines = [
        f"  {verdict.verdict.name.lower():<7} {verdict.path}: {'; '.join(verdict.reasons)}."
        for verdict in report.verdicts
        if verdict.verdict is not Verdict.KEEP
    ]
    if not lines:
        return ""
    kept, going = _verdict_counts(report)
    more = [f"  … and {going - _MOST:,} more."] if going > _MOST else []
    may = "may stay as it is" if kept == 1 else "may stay as they are"
    heading = f"Should it exist? {_number(kept, 'fallback')} {may}."
    return "\n".join([heading, *lines[:_MOST], *more])


def _verdict_counts(report: Report) -> tuple[int, int]:
    """How many fallbacks may stay as they are, and how many not."""
    if report.assessment is None:
        return 0, 0
    verdicts = report.assessment.verdicts.verdict
    kept = int((verdicts == Verdict.KEEP).sum())
    return kept, len(verdicts) - kept


def as_json(report: Report) -> dict[str, Any]:
    """The report as data."""
    return {
        "kind": "locum.check/1",
        "identities": report.identities,
        "paths": report.paths,
        "refused": report.refused,
        "baseline": report.known,
        "unlisted": dict(report.unlisted),
        "problems": [_data(problem) for problem in report.problems],
        "notes": [_data(problem) for problem in report.notes],
        "verdicts": [
            {
                "path": one.path,
                "verdict": one.verdict.name.lower(),
                "reasons": list(one.reasons),
            }
            for one in report.verdicts
        ],
    }


def _data(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.position.file,
        "line": problem.position.line,
        "column": problem.position.column,
        "rule": problem.rule,
        "subject": problem.subject,
        "field": problem.field,
        "fact": problem.fact,
        "remedy": problem.remedy,
        "severity": problem.severity,
        "clauses": list(problem.clauses),
        "fingerprint": problem.fingerprint,
        "related": None if problem.related is None else str(problem.related),
        "about": problem.about,
        "chain": list(problem.chain),
        "checked": problem.checked,
        "reach": problem.reach,
    }


def as_sarif(report: Report) -> dict[str, Any]:
    """The report as SARIF 2.1.0; its rules are the seven laws and every id of a problem."""
    rules = [
        {"id": rule, "shortDescription": {"text": words}, **_tagged(CLAUSES.get(rule, ()))}
        for rule, words in RULES.items()
    ]
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "locum", "version": __version__, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(one) for one in (*report.problems, *report.notes)],
            }
        ],
    }


def _result(problem: Problem) -> dict[str, Any]:
    about = f"{problem.subject}: " if problem.subject else ""
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": list(RULES).index(problem.rule),
        "level": problem.severity,
        "message": {"text": f"{about}{problem.fact} {problem.remedy}"},
        "locations": [_location(problem.position)],
        "partialFingerprints": {"locum/v1": problem.fingerprint},
        **_tagged(problem.clauses),
    }
    if problem.chain:
        result["codeFlows"] = [{"threadFlows": [{"locations": _steps(problem)}]}]
    if problem.related is not None:
        result["relatedLocations"] = [_location(problem.related)]
    return result


def _tagged(clauses: tuple[str, ...]) -> dict[str, Any]:
    return {"properties": {"tags": list(clauses)}} if clauses else {}


def _steps(problem: Problem) -> list[dict[str, Any]]:
    """The chain; its steps are of the graph, so that each is shown where the problem is."""
    place = _location(problem.position)
    return [{"location": {**place, "message": {"text": step}}} for step in problem.chain]


def _location(position: Position) -> dict[str, Any]:
    uri = quote(position.file)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": f"file://{uri}" if uri.startswith("/") else uri},
            "region": {"startLine": position.line, "startColumn": position.column},
        }
    }


def _block(problem: Problem) -> str:
    heading = [
        str(problem.position),
        problem.subject,
        problem.field,
        words_of(problem.rule),
        "" if problem.severity == "error" else f"({problem.severity})",
        f"[{', '.join(problem.clauses)}]" if problem.clauses else "",
    ]
    lines = ["  ".join(filter(None, heading)), f"  {problem.fact}"]
    if problem.related is not None:
        lines.append(f"  The first is at {problem.related}.")
    lines += [f"    {at}. {step}" for at, step in enumerate(problem.chain, 1)]
    return "\n".join([*lines, f"  {problem.remedy}"])


def _counted(report: Report, notes: bool) -> str:
    if report.is_whole and report.identities == 0:
        return (
            "There is nothing in this export: no identity stands in it. Check that it is the one "
            "that was meant, and that whoever wrote it could see everything."
        )
    errors = sum(problem.severity == "error" for problem in report.problems)
    found = f"{_number(errors, 'error')}, {_number(len(report.problems) - errors, 'other finding')}"
    if report.identities == 0 and report.refused:
        return f"{found}. The laws are asked once these are mended."
    if report.known:
        found += f", {_number(report.known, 'finding')} of the baseline"
    counted = f"{_number(report.identities, 'identity')}, {_number(report.paths, 'path')}"
    many = _number(len(report.notes), "note")
    more = f" {many}{'' if notes else ': --notes'}." if report.notes else ""
    rest = ", ".join(f"{rule} {many:,}" for rule, many in report.unlisted)
    rest = f"\nCounted and not listed (--limit): {rest}." if rest else ""
    return f"{counted}: {found}.{more}{rest}"


def _number(count: int, word: str) -> str:
    many = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count} {word if count == 1 else many}"
