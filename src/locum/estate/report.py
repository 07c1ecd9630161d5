"""Reports of `locum check`: text for people, JSON for programs, SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from typing import Any

from locum import __version__
from locum.estate.loading import Report
from locum.estate.problem import Problem
from locum.model.refusal import Law

_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(report: Report) -> str:
    """Each problem in three lines: where and which law; what; what to do."""
    blocks = [_block(problem) for problem in report.problems]
    errors = sum(problem.severity == "error" for problem in report.problems)
    counted = f"{report.identities} identities, {report.paths} paths: "
    counted += f"{errors} errors, {len(report.problems) - errors} other findings."
    return "\n\n".join([*blocks, counted])


def as_json(report: Report) -> dict[str, Any]:
    """The report as data."""
    return {
        "kind": "locum.check/1",
        "identities": report.identities,
        "paths": report.paths,
        "refused": report.refused,
        "problems": [
            {
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
            }
            for problem in report.problems
        ],
    }


def as_sarif(report: Report) -> dict[str, Any]:
    """The report as SARIF 2.1.0."""
    rules = sorted({problem.rule for problem in report.problems})
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "locum",
                        "version": __version__,
                        "rules": [
                            {"id": rule, "shortDescription": {"text": _rule_words(rule)}}
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, rules) for problem in report.problems],
            }
        ],
    }


def _result(problem: Problem, rules: list[str]) -> dict[str, Any]:
    return {
        "ruleId": problem.rule,
        "ruleIndex": rules.index(problem.rule),
        "level": problem.severity,
        "message": {"text": f"{_about(problem)}{problem.fact} {problem.remedy}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": problem.position.file},
                    "region": {
                        "startLine": problem.position.line,
                        "startColumn": problem.position.column,
                    },
                }
            }
        ],
        "partialFingerprints": {"locum/v1": problem.fingerprint},
    }


def _block(problem: Problem) -> str:
    law = _rule_words(problem.rule) if problem.rule.startswith("law-") else problem.rule
    subject = f"  {problem.subject}" if problem.subject else ""
    subject += f"  {problem.field}" if problem.field else ""
    severity = "" if problem.severity == "error" else f"  ({problem.severity})"
    clauses = f"  [{', '.join(problem.clauses)}]" if problem.clauses else ""
    return (
        f"{problem.position}{subject}  {law}{severity}{clauses}\n"
        f"  {problem.fact}\n"
        f"  {problem.remedy}"
    )


def _about(problem: Problem) -> str:
    return f"{problem.subject}: " if problem.subject else ""


def _rule_words(rule: str) -> str:
    number = rule.removeprefix("law-")
    return str(Law(int(number))) if number != rule else rule.replace("-", " ")
