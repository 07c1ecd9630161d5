"""Should it exist? What a law refuses is not kept, whatever the graph says of it."""

from __future__ import annotations

from pathlib import Path

from tests.analysis.checked import checked, person, told


def test_a_path_whose_cause_nothing_can_show_is_not_kept(tmp_path: Path) -> None:
    fallback = (
        ", fallbacks: {key: {method: security-key-attested, causes: [lost, outage], owner: x, "
        "reason: spare, until: 2027-06-30, limits: {ttl: 30m}, review: {by: staff}}}"
    )
    report = checked(
        tmp_path,
        person("ada", more=fallback) + person("bob"),
        groups="  staff: [bob]",
        rest="observed: {ada/key: {last_used: never, last_drilled: 2026-11-20}}",
    )
    assert told(report, "law-4")["ada/key"].severity == "error"
    [verdict] = report.verdicts
    assert verdict.verdict.name == "NARROW"
    assert "a law refuses it as it is declared" in verdict.reasons
