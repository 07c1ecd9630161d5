"""Which secrets have outlived their purpose, are too many, or never end."""

from __future__ import annotations

from pathlib import Path

import pytest

from locum.estate.analysis.explained import explain
from locum.estate.graph.ways import minutes
from tests.analysis.checked import NOW, checked, person, told, workload


def _found(name: str, method: str, more: str = "", whose: str = "api") -> str:
    return (
        f"  {name}: {{identity: {whose}, method: {method}, last_used: 2026-11-20, "
        f"owner: x@example.com{more}}}\n"
    )


@pytest.mark.parametrize(
    ("primary", "outlived"),
    [("", False), (", created: 2026-11-01", True), (", created: 2026-06-01", False)],
)
def test_a_certificate_has_outlived_its_successor_only_where_both_are_dated(
    tmp_path: Path, primary: str, outlived: bool
) -> None:
    report = checked(
        tmp_path,
        workload("api", f"method: x509-certificate{primary}"),
        rest="found:\n"
        + _found("other", "x509-certificate", ", created: 2026-10-01, ends: 2027-01-01"),
    )
    assert ("api/other" in told(report, "outlived")) == outlived


@pytest.mark.parametrize(
    ("made", "rules"),
    [
        ("", {"never-ends"}),
        (", ends: never", {"never-ends"}),
        (", ends: 2027-01-01", set()),
        (", created: 2024-01-01", {"old"}),
    ],
)
def test_a_key_that_is_a_primary_ends_too(tmp_path: Path, made: str, rules: set[str]) -> None:
    report = checked(tmp_path, workload("api", f"method: api-key{made}"))
    assert {rule for rule in ("never-ends", "old") if "api" in told(report, rule)} == rules


def test_nobody_has_to_change_a_password_periodically(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("ada", "method: passkey-device-bound") + workload("api", "method: password"),
        rest="found:\n"
        + _found("spare", "[totp, password]", ", ends: never", "ada")
        + _found("older", "[password, totp]", ", created: 2020-01-01", "ada"),
    )
    assert set(told(report, "never-ends")) == {"api"}
    assert not told(report, "old")


@pytest.mark.parametrize(
    ("method", "holder", "several"),
    [
        ("ssh-key", "api", True),
        ("password", "api", True),
        ("vaulted-secret", "api", True),
        ("x509-certificate", "api", True),
        ("ssh-key", "ada", False),  # one on each of her machines
    ],
)
def test_two_of_a_kind_are_one_too_many(
    tmp_path: Path, method: str, holder: str, several: bool
) -> None:
    dated = ", created: 2026-11-01, ends: 2026-12-20"
    report = checked(
        tmp_path,
        person("ada") + workload("api", "method: oauth-token"),
        rest="found:\n"
        + _found("first", method, dated, holder)
        + _found("second", method, dated.replace("11-01", "11-02"), holder),
    )
    assert (f"{holder}/first" in told(report, "second-key")) == several
    assert f"{holder}/second" not in told(report, "second-key")


def test_a_way_besides_does_not_make_a_phone_number_stronger(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("ada", 'method: passkey-synced, rests_on: ["account:cloud"]'),
        rest='  account:cloud: {ways: [{rests_on: ["phone-number:+411"]}]}\n'
        "  phone-number:+411: {ways: [{method: passkey-device-bound}]}",
    )
    assert "account:cloud" in told(report, "undermined")


def test_nobody_falls_to_what_is_thought_away(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("ada", 'method: passkey-device-bound, rests_on: ["identity-provider:corp"]'),
        rest="  identity-provider:corp: {ways: [{method: password}]}",
    )
    assert report.assessment is not None
    gone = "identity-provider:corp"
    found = explain(report.assessment.chart, "ada", minutes(NOW), [gone])
    assert gone in found.before.alone
    assert found.after is not None
    assert gone not in found.after.alone
