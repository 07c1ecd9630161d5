"""What locks somebody out is found: people who are away, circles, quorums out of reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from locum.cli.explain_command import _lines
from locum.estate.analysis.explained import explain
from locum.estate.analysis.explained_data import explanation_view
from locum.estate.graph.ways import minutes
from tests.analysis.checked import NOW, checked, person, told, workload


def _path(method: str, more: str = "") -> str:
    return (
        f"{{method: {method}, causes: [lost], owner: x, reason: spare, until: 2027-06-30, "
        f"limits: {{ttl: 30m}}, review: {{by: administrators}}{more}}}"
    )


_BY_BOB = (
    ", fallbacks: {code: "
    + _path("issued-recovery-code", ', rests_on: ["identity:bob"], approvals: {of: g, need: 1}')
    + "}"
)


def test_a_person_whose_absence_locks_several_out_is_found(tmp_path: Path) -> None:
    primary = 'method: password, rests_on: ["identity:bob"]'
    report = checked(
        tmp_path,
        person("bob") + person("cy") + person("ann", primary, _BY_BOB) + person("dan", primary),
        groups="  g: [bob, cy]",
    )
    found = told(report, "lock-out-of-many")["bob"]
    assert found.fact == "Its loss alone locks 2 identities out."


def test_more_losses_than_are_kept_are_never_none(tmp_path: Path) -> None:
    boxes = "".join(
        f"  mailbox:m{at}: {{ways: [{{rests_on: [mailbox:m{at + 1}]}}]}}\n" for at in range(1_100)
    )
    spare = (
        ", fallbacks: {spare: " + _path("issued-recovery-code", ', rests_on: ["mailbox:m0"]') + "}"
    )
    report = checked(
        tmp_path,
        person("ann", 'method: password, rests_on: ["mailbox:m0"]', spare),
        rest=boxes + "  mailbox:m1100: {ways: [{method: password}]}",
    )
    assert told(report, "lock-out")["ann"].fact.startswith("More than 1,024 things")
    assert report.assessment is not None
    standing = explanation_view(explain(report.assessment.chart, "ann", minutes(NOW))).now
    assert standing.locked_out_by_more
    assert "any one of more things than can be told" in "\n".join(_lines("ann", standing))


def test_what_is_reached_only_through_itself_opens_nothing(tmp_path: Path) -> None:
    spare = (
        ", fallbacks: {spare: " + _path("issued-recovery-code", ', rests_on: ["mailbox:a"]') + "}"
    )
    report = checked(
        tmp_path,
        person("ann", more=spare) + person("bob", 'method: password, rests_on: ["mailbox:a"]'),
        rest="  mailbox:a: {ways: [{rests_on: [mailbox:b]}]}\n"
        "  mailbox:b: {ways: [{rests_on: [mailbox:a]}]}",
    )
    found = told(report, "opens-nothing")
    assert set(found) == {"ann/spare", "bob"}
    assert found["bob"].fact.startswith("Nobody can get in:")
    assert (found["ann/spare"].remedy, found["ann/spare"].checked) == ("Remove ann/spare.", True)
    [verdict] = report.verdicts
    assert (verdict.verdict.name, verdict.reasons[0]) == ("RETIRE", "nobody can open it")


@pytest.mark.parametrize(
    ("askers", "away", "left"),
    [
        ("bob, cy", "dan", False),  # cy approves for bob, and nobody else does
        ("bob, cy", "eve", True),
        ("bob, eve", "dan", True),  # eve asks, bob and cy approve
        ("bob, eve", "cy", True),
        ("eve", "dan", True),
    ],
)
def test_whoever_asks_is_no_approver(tmp_path: Path, askers: str, away: str, left: bool) -> None:
    glass = (
        ", fallbacks: {glass: {method: leased-token, requesters: askers, causes: [outage], "
        'probe: {tcp: "a.example.com:443"}, approvals: {of: g, need: 2}, owner: x, reason: y, '
        "limits: {ttl: 30m}, review: {by: administrators}, until: 2027-06-30}}"
    )
    report = checked(
        tmp_path,
        "".join(person(name) for name in ("bob", "cy", "dan", "eve"))
        + workload("api", 'method: oauth-token, rests_on: ["identity-provider:idp"]', glass),
        groups=f"  g: [bob, cy, dan]\n  askers: [{askers}]",
        rest="  identity-provider:idp: {administered_by: [root]}",
    )
    assert report.assessment is not None
    chart = report.assessment.chart
    after = explain(chart, "api", minutes(NOW), ["identity-provider:idp", away]).after
    assert after is not None
    assert (after.lost_with is not None) == left


def test_what_is_named_of_several_does_not_go_by_the_order_of_the_file(tmp_path: Path) -> None:
    primary = 'method: [password, totp], rests_on: ["device:b", "device:a"]'
    spare = ", fallbacks: {spare: " + _path("totp", ', rests_on: ["device:a", "device:b"]') + "}"
    found = []
    for order in ("ab", "ba"):
        report = checked(
            tmp_path,
            person("ann", primary, spare),
            rest="".join(f"  device:{one}: {{}}\n" for one in order),
        )
        about = {one.rule: (one.about, one.fingerprint) for one in report.problems}
        assert {about["one-root"][0], about["lock-out"][0]} == {"device:a"}
        found.append(about)
    assert found[0] == found[1]
