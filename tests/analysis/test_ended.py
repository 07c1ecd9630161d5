"""What has ended opens nothing, and the day of the question decides, not that of the storing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from locum.estate.analysis.explained import explain
from locum.estate.checking import Report, check
from locum.estate.graph.storing import write_chart
from locum.estate.graph.ways import minutes
from tests.analysis.checked import NOW, checked, person, told

_PASSWORD = (
    "found: {{old: {{identity: ada, method: password, ends: {ends}, created: 2026-11-01, "
    "last_used: 2026-11-20, owner: x@example.com}}}}"
)


def _with_password(folder: Path, ends: str) -> Report:
    return checked(
        folder,
        person("ada", 'method: passkey-device-bound, rests_on: ["device:ada"]'),
        rest="  device:ada: {}\n" + _PASSWORD.format(ends=ends),
    )


@pytest.mark.parametrize(("ends", "weaker", "lost"), [("2026-11-22", 0, 1), ("2026-12-31", 1, 0)])
def test_a_way_that_has_ended_is_no_way_in(
    tmp_path: Path, ends: str, weaker: int, lost: int
) -> None:
    report = _with_password(tmp_path, ends)
    assert len(told(report, "weaker-behind")) == weaker
    assert report.assessment is not None
    before = explain(report.assessment.chart, "ada", minutes(NOW)).before
    assert before.lost_with is not None
    assert ("device:ada" in before.lost_with) == bool(lost)


def test_a_stored_graph_is_asked_as_of_the_day_of_the_question(tmp_path: Path) -> None:
    source = tmp_path / "yaml"
    source.mkdir()
    report = _with_password(source, "2026-12-31")
    assert report.assessment is not None
    write_chart(report.assessment.chart, tmp_path / "graph")
    later = check(tmp_path / "graph", NOW + timedelta(days=90))
    assert not told(later, "weaker-behind")


_WAIVED = (
    ", fallbacks: {code: {method: issued-recovery-code, causes: [lost], owner: x, reason: spare, "
    "until: 2028-06-30, limits: {ttl: 30m}, approvals: {of: staff, need: 1}, "
    "review: {by: staff}, waiver: {owner: x, reason: y, until: 2027-01-31}}}"
)


@pytest.mark.parametrize(("days", "severity"), [(0, "warning"), (200, "error")])
def test_a_stored_graph_knows_when_a_waiver_ends(tmp_path: Path, days: int, severity: str) -> None:
    source = tmp_path / "yaml"
    source.mkdir()
    report = checked(
        source,
        person("ada", more=_WAIVED) + person("bob") + person("cy") + person("dee"),
        groups="  staff: [bob, cy, dee]",
    )
    assert report.assessment is not None
    write_chart(report.assessment.chart, tmp_path / "graph")
    later = check(tmp_path / "graph", NOW + timedelta(days=days))
    assert told(later, "weaker-behind")["ada/code"].severity == severity
