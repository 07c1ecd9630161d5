"""Small estates written beside the tests that check them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from locum.estate.checking import Report, check
from locum.estate.problem import Problem

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_ADMINISTRATOR = """version: 1
groups:
  administrators: [{administrators}]
{groups}
identities:
  root: {{kind: human, owner: it@example.com, primary: {{method: security-key-attested}}}}
{identities}
roots:
  device:root-key: {{}}
{rest}
"""


def checked(
    folder: Path,
    identities: str,
    *,
    groups: str = "",
    rest: str = "",
    administrators: str = "root",
    now: datetime = NOW,
) -> Report:
    """What is found in an estate of the administrator `root` and these.

    Args:
        identities: lines of YAML below `identities:`, as `groups` is below `groups:`.
        rest: lines below `roots:`, and further sections.
    """
    file = folder / "estate.yaml"
    file.write_text(
        _ADMINISTRATOR.format(
            administrators=administrators, groups=groups, identities=identities, rest=rest
        )
    )
    return check(file, now)


def person(name: str, primary: str = "method: passkey-device-bound", more: str = "") -> str:
    """A line that declares a person."""
    head = f"  {name}: {{kind: human, owner: {name}@example.com, primary: {{{primary}}}"
    return f"{head}{more}}}\n"


def workload(name: str, primary: str = "method: x509-certificate", more: str = "") -> str:
    """A line that declares a workload."""
    head = f"  {name}: {{kind: workload, owner: team@example.com, primary: {{{primary}}}"
    return f"{head}{more}}}\n"


def told(report: Report, rule: str) -> dict[str, Problem]:
    """What is found by one rule, by what it concerns."""
    return {one.subject: one for one in (*report.problems, *report.notes) if one.rule == rule}
