"""What is found and observed is checked against the identities and paths that it names."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from locum.estate.checking import check
from tests.estate.estates import NOW, lawful, only_problem, written

OLD_KEY: dict[str, Any] = {"identity": "orders-db-admin", "method": "api-key", "ends": "never"}
PATH = "orders-db-admin/break-glass"


def found(**fields: Any) -> dict[str, Any]:
    return {**lawful(), "found": {"old-key": {**OLD_KEY, **fields}}}


def observed(name: str, **fields: Any) -> dict[str, Any]:
    return {**lawful(), "observed": {name: fields}}


def test_what_is_found_and_observed_rightly_is_no_problem(tmp_path: Path) -> None:
    whole = {**found(created="2024-05-01", ends="2028-01-01"), "observed": {PATH: {}}}
    report = check(written(tmp_path, whole), NOW)
    assert report.is_whole
    assert {one.subject for one in report.problems} == {"orders-db-admin/old-key"}


@pytest.mark.parametrize(
    ("whole", "field", "rule", "fact", "remedy"),
    [
        (
            found(identity="orders-db-admn"),
            "found.old-key.identity",
            "dangling-name",
            "`orders-db-admn` is no identity of this estate.",
            "Did you mean `orders-db-admin`?",
        ),
        (
            found(identity="zzz"),
            "found.old-key.identity",
            "dangling-name",
            "`zzz` is no identity of this estate.",
            "Declare it under `identities`, or remove what was found of it.",
        ),
        (
            found(created="2026-02-30"),
            "found.old-key.created",
            "value",
            "There is no such time as 2026-02-30.",
            "Write a day that exists, e.g. 2024-05-01.",
        ),
        (
            found(last_used="2026-13-01"),
            "found.old-key.last_used",
            "value",
            "There is no such time as 2026-13-01.",
            "Write a day that exists, e.g. 2026-03-31, or `never`.",
        ),
        (
            found(ends="9999-12-31"),
            "found.old-key.ends",
            "value",
            "There is no such time as 9999-12-31.",
            "Write a day that exists, e.g. 2026-03-31, or `never`.",
        ),
        (
            found(method="apikey"),
            "found.old-key.method",
            "method",
            "`apikey` is not in the catalogue, so it is worth the least.",
            "Did you mean `api-key`?",
        ),
        (
            found(method=["api-key", "pasword"]),
            "found.old-key.method.1",
            "method",
            "`pasword` is not in the catalogue, so it is worth the least.",
            "Did you mean `password`?",
        ),
        (
            observed("orders-db-admin/breakglass", last_used="never"),
            "observed.orders-db-admin/breakglass",
            "dangling-name",
            "`orders-db-admin/breakglass` is no declared path of this estate.",
            "Did you mean `orders-db-admin/break-glass`?",
        ),
        (
            observed(PATH, last_drilled="2026-02-30"),
            f"observed.{PATH}.last_drilled",
            "value",
            "There is no such time as 2026-02-30.",
            "Write a day that exists, e.g. 2026-03-31, or `never`.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_slip_is_said_with_its_place_and_an_example(
    whole: dict[str, Any], field: str, rule: str, fact: str, remedy: str, tmp_path: Path
) -> None:
    problem = only_problem(tmp_path, whole)
    assert (problem.field, problem.rule, problem.fact, problem.remedy) == (
        field, rule, fact, remedy,
    )  # fmt: skip
    line = (tmp_path / "estate.yaml").read_text().splitlines()[problem.position.line - 1]
    assert field.rpartition(".")[2].removesuffix("1") in line or "pasword" in line


def test_a_found_method_that_nobody_knows_is_said_and_refuses_nothing(tmp_path: Path) -> None:
    report = check(written(tmp_path, found(method="zzz")), NOW)
    [problem] = [one for one in report.problems if one.rule == "method"]
    assert (problem.field, problem.severity) == ("found.old-key.method", "warning")
    assert report.is_whole


def test_the_last_days_of_the_calendar_are_told_of_and_not_stumbled_over(tmp_path: Path) -> None:
    day = f"{NOW + timedelta(days=300_000):%Y-%m-%d}"
    assert check(written(tmp_path, found(ends=day)), NOW).is_whole


def test_what_is_found_has_a_name_of_its_own_beside_the_declared_paths(tmp_path: Path) -> None:
    whole = {**lawful(), "found": {"break-glass": OLD_KEY}}
    problem = only_problem(tmp_path, whole)
    assert (problem.rule, problem.field) == ("duplicate-key", "found.break-glass")
    assert problem.fact == f"`{PATH}` is declared as a path already."
    assert "under another name" in problem.remedy
    lines = (tmp_path / "estate.yaml").read_text().splitlines()
    assert problem.related is not None
    assert problem.related.line < problem.position.line
    assert '"break-glass"' in lines[problem.related.line - 1]


def test_the_same_name_beside_another_identity_is_fine(tmp_path: Path) -> None:
    whole = {**lawful(), "found": {"break-glass": {**OLD_KEY, "identity": "alice"}}}
    assert check(written(tmp_path, whole), NOW).is_whole
