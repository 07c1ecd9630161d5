"""A baseline: the findings that a team knows, so that a pipeline shows only what is new."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from locum.model.refusal import MalformedInput


class _Finding(msgspec.Struct):
    fingerprint: str


class _Report(msgspec.Struct):
    kind: Literal["locum.check/1"]
    problems: list[_Finding]
    notes: list[_Finding]


def read_baseline(file: Path) -> frozenset[str]:
    """The fingerprints of an earlier report, written by `locum check --json`.

    Raises:
        MalformedInput: the file is no such report.
    """
    try:
        said = msgspec.json.decode(file.read_bytes(), type=_Report)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise MalformedInput(
            f"{file} is no report of locum.check/1.",
            "Write one: `locum check ESTATE --json > baseline.json`.",
        ) from None
    return frozenset(one.fingerprint for one in (*said.problems, *said.notes))
