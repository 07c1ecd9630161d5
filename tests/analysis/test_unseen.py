"""What is known of a path's past, and that nothing is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from locum.estate.analysis.verdicts import Verdict
from locum.estate.checking import Report, of_chart
from locum.estate.graph.chart import chart
from locum.estate.inventory import Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from tests.analysis.checked import NOW, checked, person, told

_KEY = (
    ", fallbacks: {key: {method: security-key-attested, causes: [lost], owner: x, reason: spare, "
    "until: 2027-06-30, limits: {ttl: 30m}, review: {by: administrators%s}%s}}"
)


def _with(folder: Path, observed: str, within: str = "", drill: str = "") -> Report:
    return checked(
        folder,
        person("ada", more=_KEY % (within, drill)),
        rest=f"observed: {{ada/key: {{{observed}}}}}",
    )


@pytest.mark.parametrize(
    ("within", "unreviewed"), [("", True), (", within: 7d", False), (", within: 2d", True)]
)
def test_a_use_is_to_be_judged_within_the_time_that_its_path_says(
    tmp_path: Path, within: str, unreviewed: bool
) -> None:
    seen = "last_used: 2026-11-21, last_reviewed: never"
    assert ("ada/key" in told(_with(tmp_path, seen, within), "unreviewed")) == unreviewed


@pytest.mark.parametrize(
    ("seen", "drill", "fact"),
    [
        ("last_used: 2026-01-01", "", "Nobody says whether its last use was judged."),
        ("last_used: never", ", drill: {every: 90d}", "Nobody says whether it was ever rehearsed."),
    ],
)
def test_a_past_that_nobody_knows_is_said(tmp_path: Path, seen: str, drill: str, fact: str) -> None:
    found = told(_with(tmp_path, seen, drill=drill), "past-unknown")["ada/key"]
    assert (found.fact, found.severity) == (fact, "note")


@pytest.mark.parametrize(
    ("seen", "drill"),
    [
        ("last_used: never", ""),
        ("last_used: 2026-01-01, last_reviewed: 2026-01-02", ""),
        ("last_used: never, last_drilled: 2026-11-01", ", drill: {every: 90d}"),
    ],
)
def test_a_past_that_is_known_is_not_unknown(tmp_path: Path, seen: str, drill: str) -> None:
    assert not told(_with(tmp_path, seen, drill=drill), "past-unknown")


@pytest.mark.parametrize(
    ("context", "rule"),
    [
        ("", "checks-unknown"),
        (", context: []", "checks-dropped"),
        (", context: [managed-device]", None),
    ],
)
def test_checks_that_nobody_says_are_unknown_and_not_those_of_the_primary(
    tmp_path: Path, context: str, rule: str | None
) -> None:
    found = (
        "found: {spare: {identity: ada, method: security-key-attested, last_used: 2026-11-20, "
        f"owner: x@example.com{context}}}}}"
    )
    report = checked(
        tmp_path,
        person("ada", "method: passkey-device-bound, context: [managed-device]"),
        rest=found,
    )
    rules = {one for one in ("checks-unknown", "checks-dropped") if told(report, one)}
    assert rules == ({rule} if rule else set())


_CODE = (
    ", fallbacks: {mail: {method: issued-recovery-code, rests_on: [mailbox:ada], causes: [lost], "
    "approvals: {of: g, need: 1}, owner: x, reason: y, limits: {ttl: 30m}, "
    "review: {by: administrators}, until: 2027-06-30}}"
)


@pytest.mark.parametrize(("method", "deeper"), [("birth-date", True), ("passkey-synced", False)])
def test_a_path_that_a_law_refuses_is_told_how_weak_it_really_is(
    tmp_path: Path, method: str, deeper: bool
) -> None:
    report = checked(
        tmp_path,
        person("ada", more=_CODE) + person("bob") + person("cy"),
        groups="  g: [bob, cy]",
        rest=f"  mailbox:ada: {{ways: [{{method: {method}}}]}}",
    )
    law = told(report, "law-1")["ada/mail"]
    assert ("ada/mail" in told(report, "weaker-behind")) == deeper
    if deeper:
        assert "none < two" in told(report, "weaker-behind")["ada/mail"].fact
        return
    assert law.chain[-1].endswith("that is all that ada/mail asks for.")
    assert law.checked
    assert "Tried: Ask for a device-bound passkey as well" in law.remedy


def test_a_primary_that_nobody_knows_is_no_measure() -> None:
    place = Position("t", 1, 1)
    holder = Holder("svc", Kind.WORKLOAD, place, "team")
    ways = [Way("svc", "svc", Role.PRIMARY, ("unknown",), place, owner="team")]
    alone = of_chart(chart(Inventory((holder,), tuple(ways))), NOW)
    assert not told(alone, "unknown-primary"), "there is nothing to be held to it"
    ways.append(Way("svc/key", "svc", Role.FOUND, ("spiffe-x509-svid",), place, owner="team"))
    report = of_chart(chart(Inventory((holder,), tuple(ways))), NOW)
    assert told(report, "unknown-primary")["svc"].severity == "warning"
    [judged] = report.verdicts
    assert judged.verdict is Verdict.NARROW
    assert judged.reasons == ("nobody says what the primary is, so it is no measure for this",)
