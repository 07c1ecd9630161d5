"""Reports of a check; `sarif-schema-2.1.0.json` is the schema that OASIS publishes, unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from locum.estate.checking import check
from locum.estate.report import as_json, as_sarif, as_text
from tests.estate.estates import NOW, lawful, path_with, written

ROOT = Path(__file__).parents[2]
MISTAKES = sorted((ROOT / "examples" / "mistakes").glob("*.yaml"))
SARIF = Draft4Validator(json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text()))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda file: file.stem)
def test_a_mistake_is_explained_as_the_example_shows(
    mistake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mistake.parent)
    report = check(Path(mistake.name), NOW)
    assert as_text(report) + "\n" == mistake.with_suffix(".expected").read_text()
    assert report.refused == (mistake.stem not in ("law-1-waived", "law-3-ended"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda file: file.stem)
def test_a_report_is_sarif(mistake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mistake.parent)
    report = check(Path(mistake.name), NOW)
    sarif = json.loads(json.dumps(as_sarif(report)))
    SARIF.validate(sarif)
    [run] = sarif["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(report.problems) + len(report.notes)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]


def test_there_are_mistakes_to_show() -> None:
    assert len(MISTAKES) > 40


def test_the_sarif_schema_would_find_a_fault(tmp_path: Path) -> None:
    sarif: Any = as_sarif(check(written(tmp_path, "version: 2"), NOW))
    sarif["runs"][0]["results"][0]["level"] = "fatal"
    assert not SARIF.is_valid(sarif)


def test_a_file_name_is_a_uri_in_sarif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "my estate#1 %ü.yaml"
    written(tmp_path, "version: 2", name)
    monkeypatch.chdir(tmp_path)

    def uri(source: Path) -> str:
        [result] = as_sarif(check(source, NOW))["runs"][0]["results"][:1]
        return str(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])

    assert uri(Path(name)) == "my%20estate%231%20%25%C3%BC.yaml"
    assert uri(tmp_path / name).startswith("file:///")


def test_the_text_is_where_and_what_and_what_to_do(tmp_path: Path) -> None:
    whole = path_with(limits={"ttl": "48h", "window": "30m"})
    report = check(written(tmp_path, json.dumps(whole)), NOW)
    [_, second, _, counted] = as_text(report).split("\n\n")
    heading, fact, remedy = second.splitlines()
    assert heading.startswith(f"{tmp_path}/estate.yaml:1:")
    assert "  orders-db-admin/break-glass  limits.ttl  law 3 (no longer)" in heading
    assert fact == (
        "  `limits.ttl` is 2d, the path's window is 30m: the credential would outlive the window."
    )
    assert remedy == "  Set `limits.ttl` to 30m or less, or widen `limits.window`."
    assert counted == "5 identities, 1 path: 2 errors, 0 other findings. 5 notes: --notes."


def test_an_estate_without_findings_says_so(tmp_path: Path) -> None:
    report = check(written(tmp_path, lawful()), NOW)
    assert as_text(report) == "5 identities, 1 path: 0 errors, 0 other findings. 5 notes: --notes."
    said = as_json(report)
    assert {one["rule"] for one in said.pop("notes")} == {"no-way-back", "no-quorum"}
    assert [one["verdict"] for one in said.pop("verdicts")] == ["keep"]
    assert said == {
        "kind": "locum.check/1",
        "identities": 5,
        "paths": 1,
        "refused": False,
        "baseline": 0,
        "unlisted": {},
        "problems": [],
    }
    SARIF.validate(as_sarif(report))


def test_the_json_says_as_much_as_the_text(tmp_path: Path) -> None:
    report = check(written(tmp_path, '{"version": 1, "version": 1}'), NOW)
    [problem] = as_json(report)["problems"]
    assert problem == {
        "file": f"{tmp_path}/estate.yaml",
        "line": 1,
        "column": 16,
        "rule": "duplicate-key",
        "subject": "",
        "field": "",
        "fact": "`version` stands here a second time.",
        "remedy": "Remove one of the two.",
        "severity": "error",
        "clauses": [],
        "fingerprint": report.problems[0].fingerprint,
        "related": f"{tmp_path}/estate.yaml:1:2",
        "about": "",
        "chain": [],
        "checked": False,
        "reach": 1,
    }


def test_the_example_breaks_no_law() -> None:
    report = check(ROOT / "examples" / "break-glass", NOW)
    assert as_text(report) == "6 identities, 2 paths: 0 errors, 0 other findings. 7 notes: --notes."
