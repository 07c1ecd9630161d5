"""A remedy that is called checked makes its finding go once it is applied."""

from __future__ import annotations

from pathlib import Path

from locum.estate.analysis.explained import explain
from locum.estate.graph.ways import minutes
from tests.analysis.checked import NOW, checked, person, told

_KEY = (
    "method: passkey-device-bound, causes: [lost], owner: x, reason: y, limits: {ttl: 30m}, "
    "approvals: {of: g, need: 1}, review: {by: administrators}, until: 2027-06-30"
)


def test_another_declared_path_does_not_help_against_the_loss_of_locum(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person(
            "ada",
            'method: passkey-device-bound, rests_on: ["locum:authority"]',
            f", fallbacks: {{key: {{{_KEY}}}}}",
        )
        + "".join(person(name) for name in ("bob", "cy", "dan")),
        groups="  g: [bob, cy, dan]",
    )
    found = told(report, "lock-out")["ada"]
    assert found.about == "locum:authority"
    assert found.remedy.startswith("Give ada a way in that does not go through Locum")
    assert found.checked
    assert report.assessment is not None
    after = explain(report.assessment.chart, "ada", minutes(NOW), added=["second-key"]).after
    assert after is not None
    assert after.lost_with == ("locum:authority",)


def test_to_name_more_people_is_advice_that_was_not_tried(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("ada", more=f", fallbacks: {{key: {{{_KEY}}}}}") + person("bob") + person("cy"),
        groups="  g: [bob, cy]",
    )
    found = told(report, "no-quorum")["ada/key"]
    assert found.remedy == "Add people to the group that approves ada/key."
    assert not found.checked
