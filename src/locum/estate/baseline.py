"""A baseline: the findings that a team knows, so that a pipeline shows only what is new."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from locum.estate.checking import Report
from locum.model.refusal import MalformedInput

_KIND = "locum.check/1"


def read_baseline(file: Path) -> frozenset[str]:
    """The fingerprints of an earlier report, written by `locum check --json`.

    Raises:
        MalformedInput: the file is no such report.
    """
    try:
        said = json.loads(file.read_bytes())
        if said["kind"] != _KIND:
            raise ValueError
        return frozenset(one["fingerprint"] for one in (*said["problems"], *said["notes"]))
    except (ValueError, KeyError, TypeError):
        raise MalformedInput(
            f"{file} is no report of {_KIND}.",
            "Write one: `locum check ESTATE --json > baseline.json`.",
        ) from None


def without_known(report: Report, known: frozenset[str]) -> Report:
    """The report without the findings of a baseline; they are counted.

    An estate that could not be read keeps every problem: who knows that it is broken knows nothing
    of what it breaks.
    """
    if not report.is_whole:
        return report
    problems = tuple(one for one in report.problems if one.fingerprint not in known)
    notes = tuple(one for one in report.notes if one.fingerprint not in known)
    left_out = len(report.problems) + len(report.notes) - len(problems) - len(notes)
    return msgspec.structs.replace(report, problems=problems, notes=notes, known=left_out)
