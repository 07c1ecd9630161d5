"""What is proposed says what the import said, and is an estate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from locum.estate.checking import Report, check, of_chart
from locum.estate.graph.chart import chart
from locum.estate.graph.ways import CHECKS_UNSAID
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.export import in_memory
from locum.estate.importing.proposing import propose
from locum.estate.inventory import Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind
from tests.importing import test_more_sources as more
from tests.importing import test_platforms as platforms
from tests.importing import test_sources as sources
from tests.importing.whole import whole

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PLACE = Position("f", 1, 1)


def _table(rows: str) -> Inventory:
    head = "identity,kind,role,method,owner,rests_on,created,last_used,ends\n"
    return whole(read_csv(in_memory((head + rows).encode(), "t.csv")))


def _adopted(inventory: Inventory, folder: Path) -> Report:
    file = folder / "proposed.yaml"
    file.write_text(propose(inventory))
    return check(file, NOW)


def _said(report: Report) -> dict[tuple[str, str], int]:
    return {
        (one.rule, one.subject): ("note", "warning", "error").index(one.severity)
        for one in (*report.problems, *report.notes)
    }


ALL: list[Callable[[], Inventory]] = [
    sources._csv, sources._aws, sources._kubernetes, sources._ssh,
    more._keycloak, more._entra, more._postgresql, more._vault,
    platforms._github, platforms._okta, platforms._opengraph,
]  # fmt: skip


@pytest.mark.parametrize("make", ALL)
def test_what_the_import_said_is_said_after_its_adoption(
    make: Callable[[], Inventory], tmp_path: Path
) -> None:
    inventory = make()
    adopted = _adopted(inventory, tmp_path)
    assert adopted.assessment is not None, adopted.problems
    after = _said(adopted)
    # Somebody must be an administrator of what is adopted, and weighs more then.
    for finding, severity in _said(of_chart(chart(inventory), NOW)).items():
        assert after.get(finding, -1) >= severity, finding


@pytest.mark.parametrize("make", ALL)
def test_a_baseline_outlives_the_adoption(make: Callable[[], Inventory], tmp_path: Path) -> None:
    inventory = make()
    old = of_chart(chart(inventory), NOW)
    before = {one.fingerprint for one in (*old.problems, *old.notes)}
    new = _adopted(inventory, tmp_path)
    after = {one.fingerprint for one in (*new.problems, *new.notes)}
    assert before <= after


@pytest.mark.parametrize(
    "rows",
    [
        "al,human,primary,password,a\x1b[2Jb,,,,\n",
        "al,human,primary,password," + "o" * 5000 + ",,,,\n",
        "al,human,primary,password+password,,device:a device:a,,,\n",
        "al,human,primary,password,,,,,9999-12-31\n",
        "al,human,primary,password,,,0001-01-01,0001-01-01,9999-12-31T23:59:59-12:00\n",
        "al,human,primary,password,,mailbox:müller@x.ch identity:al,,,\n",
        "a.b,human,primary,password,,,,,\na.b,human,found,totp,,,,,\n"
        "a,human,primary,password,,,,,\na,human,found,sms-code,,,,,\n",
    ],
)
def test_whatever_a_table_says_can_be_adopted(rows: str, tmp_path: Path) -> None:
    adopted = _adopted(_table(rows), tmp_path)
    assert adopted.assessment is not None, adopted.problems


def test_a_method_that_no_estate_can_name_is_rewritten(tmp_path: Path) -> None:
    holder = Holder("al", Kind.HUMAN, PLACE)
    ways = [
        Way("al", "al", Role.PRIMARY, ("my method (2)",), PLACE,
            {"my method (2)": ("device:x",)}),
        Way("al/" + "x" * 61, "al", Role.FOUND, ("totp",), PLACE),
        Way("al/y", "al", Role.FOUND, ("password", "totp"), PLACE,
            {"": ("identity-provider:z",), "totp": ("device:x",)}),
    ]  # fmt: skip
    adopted = _adopted(Inventory((holder,), tuple(ways)), tmp_path)
    assert adopted.assessment is not None, adopted.problems
    names = adopted.assessment.chart.names
    assert {"al/" + "x" * 61, "al/y"} <= set(names)


def test_a_found_name_that_is_taken_keeps_its_identity_in_it(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(
        propose(_table("al,human,primary,password,,,,,\n"))
        + "found:\n  totp: {identity: al, method: totp}\n"
        + "  al.totp: {identity: al, method: sms-code}\n"
    )
    adopted = check(file, NOW)
    assert adopted.assessment is not None, adopted.problems
    assert {"al/totp", "al/al.totp"} <= set(adopted.assessment.chart.names)


def test_a_found_name_never_becomes_that_of_a_declared_path(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(
        "version: 1\ngroups: {administrators: [al]}\nidentities:\n  al:\n    kind: human\n"
        "    owner: it\n    primary: {method: password}\n    fallbacks:\n      codes:\n"
        "        method: saved-recovery-code\n        causes: [lost]\n        owner: it\n"
        "        reason: spare\n        until: 2027-01-01\n        limits: {ttl: 10m}\n"
        "        review: {by: administrators, within: 24h}\n"
        "found:\n  al.codes: {identity: al, method: totp}\n"
    )
    adopted = check(file, NOW)
    assert adopted.assessment is not None, adopted.problems
    assert {"al/codes", "al/al.codes"} <= set(adopted.assessment.chart.names)


def test_what_a_way_asks_for_is_said_and_not_guessed(tmp_path: Path) -> None:
    adopted = _adopted(more._entra(), tmp_path)
    assert adopted.assessment is not None
    assert not (adopted.assessment.chart.ways.flags & CHECKS_UNSAID).any()


@pytest.mark.parametrize("key", ["created", "ends", "last_used"])
def test_a_primary_has_no_day_that_does_not_exist(key: str, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    proposed = propose(_table("al,human,primary,password,,,,,\n"))
    file.write_text(
        proposed.replace("method: password", f"method: password\n      {key}: 2026-02-30")
    )
    [problem] = check(file, NOW).problems
    assert (problem.rule, problem.field) == ("value", f"primary.{key}")
