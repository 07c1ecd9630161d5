"""Acme has every kind of mistake, and each is found with its chain and a remedy that works."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.analysis.explained import explain
from locum.estate.analysis.rules import Rule
from locum.estate.analysis.told import fingerprint_at, in_order, tell_all
from locum.estate.baseline import read_baseline
from locum.estate.checking import Report, check
from locum.estate.graph.lattice import strength_of_word
from locum.estate.graph.reading import read_chart
from locum.estate.graph.storing import write_chart
from locum.estate.graph.ways import minutes
from locum.estate.problem import Problem
from locum.estate.report import as_sarif
from locum.estate.report_xml import as_junit
from locum.model.refusal import MalformedInput
from locum.model.strength import Factors
from tests.estate.test_report import SARIF

ACME = Path(__file__).parents[2] / "examples" / "acme"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MAILBOX = "mailbox:erin@acme.example"


@pytest.fixture(scope="module")
def acme() -> Report:
    return check(ACME, NOW)


def _one(report: Report, rule: str, subject: str) -> Problem:
    [found] = [
        one
        for one in (*report.problems, *report.notes)
        if (one.rule, one.subject) == (rule, subject)
    ]
    return found


@pytest.mark.parametrize(
    ("rule", "subject"),
    [
        ("circle", "judy/mail"),
        ("weaker-behind", "oscar/oscar-reset"),
        ("undermined", "account:dan-cloud"),
        ("undermined", "authority:mesh"),
        ("one-root", "frank"),
        ("one-root", "dan"),
        ("one-root-for-many", "root-admin"),
        ("lock-out", "bob"),
        ("lock-out-of-many", "authority:mesh"),
        ("no-way-back", "carol"),
        ("law-6", "warehouse-db-admin/break-glass"),
        ("no-quorum", "orders-db-admin/break-glass"),
        ("unknown-root", "mailbox:oscar@old-provider.example"),
        ("law-7", "deploy-runner/token"),
        ("checks-dropped", "emergency-1/emergency-password"),
        ("wider", "build-runner/deploy-key"),
        ("law-2", "budget-agent/token-lapse"),
        ("second-key", "search-api/search-key-1"),
        ("outlived", "mail-relay/relay-old-certificate"),
        ("long-lived-beside", "fraud-scorer/fraud-key"),
        ("local-administrator", "root-admin/local-root"),
        ("never-ends", "fax-gateway"),
        ("unreviewed", "orders-db-admin/break-glass"),
        ("never-drilled", "bob/second-key"),
        ("unused", "data-lake/lake-key"),
        ("ownerless", "data-lake/lake-key"),
    ],
)
def test_every_kind_of_mistake_is_found(acme: Report, rule: str, subject: str) -> None:
    found = _one(acme, rule, subject)
    assert found.fact
    assert found.remedy
    assert found.clauses
    assert found.position.file.endswith(".yaml")


def test_alice_has_what_everybody_should_have(acme: Report) -> None:
    assert not [one for one in (*acme.problems, *acme.notes) if one.subject.startswith("alice")]
    assert [one.verdict.name for one in acme.verdicts if one.path == "alice/second-key"] == ["KEEP"]


def test_a_weakness_is_followed_to_the_help_desk(acme: Report) -> None:
    assert acme.assessment is not None
    told = explain(acme.assessment.chart, "erin", minutes(NOW))
    [(component, chain)] = told.before.weaker_than_primary
    assert component == "factors"
    assert chain[1].startswith("The birth-date of help-desk:carrier")
    assert any(MAILBOX in step for step in chain)
    assert chain[-1] == "erin/reset opens erin."


def test_two_factors_on_one_phone_are_one(acme: Report) -> None:
    assert acme.assessment is not None
    solved, names = acme.assessment.solved, acme.assessment.chart.names
    frank = strength_of_word(int(solved.value[names.index("frank")]))
    gina = strength_of_word(int(solved.value[names.index("gina")]))
    assert (frank.factors, gina.factors) == (Factors.ONE, Factors.TWO)
    chain = _one(acme, "one-root", "frank").chain
    assert chain[0].startswith("device:frank-phone is taken")


def test_what_if_says_what_would_go(acme: Report) -> None:
    assert acme.assessment is not None
    chart = acme.assessment.chart
    told = explain(chart, "erin", minutes(NOW), [MAILBOX], ["second-key"])
    assert told.after is not None
    assert strength_of_word(told.after.weakest).factors is Factors.TWO
    before = {one.rule for one in told.before.findings}
    after = {one.rule for one in told.after.findings}
    assert "weaker-behind" in before - after


def test_pairs_suffice_only_together(acme: Report) -> None:
    assert acme.assessment is not None
    told = explain(acme.assessment.chart, "alice", minutes(NOW), pairs=True).before
    alone = set(told.alone)
    assert told.pairs == () or not alone & {one for pair in told.pairs for one in pair}
    gina = explain(acme.assessment.chart, "gina", minutes(NOW), pairs=True).before
    assert gina.alone == ()
    password, totp = "gina#primary/password", "gina#primary/totp"
    assert {frozenset(pair) for pair in gina.pairs} >= {
        frozenset((password, totp)),
        frozenset((password, "device:gina-phone")),
    }


def test_a_remedy_that_is_called_tried_makes_the_finding_go(acme: Report, tmp_path: Path) -> None:
    found = _one(acme, "long-lived-beside", "fraud-scorer/fraud-key")
    assert found.checked
    assert found.remedy == "Remove fraud-scorer/fraud-key."
    for file in ACME.glob("*.yaml"):
        kept = [one for one in file.read_text().splitlines() if not one.startswith("  fraud-key:")]
        (tmp_path / file.name).write_text("\n".join(kept) + "\n")
    again = check(tmp_path, NOW)
    assert not [one for one in again.problems if one.subject == found.subject]


def test_a_fingerprint_stays_when_lines_move(acme: Report, tmp_path: Path) -> None:
    for file in ACME.glob("*.yaml"):
        (tmp_path / file.name).write_text("# moved\n\n" + file.read_text())
    again = check(tmp_path, NOW)
    prints = [one.fingerprint for one in acme.problems]
    assert sorted(one.fingerprint for one in again.problems) == sorted(prints)
    assert len(set(prints)) == len(prints)


def test_a_stored_graph_is_read_back_and_checked_alike(acme: Report, tmp_path: Path) -> None:
    assert acme.assessment is not None
    write_chart(acme.assessment.chart, tmp_path / "graph")
    again = check(tmp_path / "graph", NOW)
    wanted = {(one.rule, one.subject) for one in acme.problems if not one.rule.startswith("law-")}
    found = {(one.rule, one.subject) for one in again.problems}
    assert wanted <= found
    assert again.identities == acme.identities


def test_a_stored_graph_says_which_declared_path_is_wider(acme: Report, tmp_path: Path) -> None:
    _one(acme, "law-2", "budget-agent/token-lapse")
    assert not [one for one in acme.problems if one.rule == "wider" and "budget" in one.subject]
    assert acme.assessment is not None
    write_chart(acme.assessment.chart, tmp_path)
    found = _one(check(tmp_path, NOW), "wider", "budget-agent/token-lapse")
    assert "`limit = 1000`" in found.fact
    told = explain(acme.assessment.chart, "budget-agent", minutes(NOW))
    assert "wider" in {one.rule for one in told.before.findings}


def test_nothing_is_kept_that_a_law_refuses(acme: Report) -> None:
    refused = {
        one.subject
        for one in acme.problems
        if one.rule.startswith("law-") and one.severity == "error"
    }
    assert "budget-agent/token-lapse" in refused
    kept = {one.path for one in acme.verdicts if one.verdict.name == "KEEP"}
    assert kept
    assert not kept & refused


@pytest.mark.parametrize("file", ["vertices", "arcs", "bodies", "ways"])
def test_a_damaged_graph_is_refused_whole(acme: Report, tmp_path: Path, file: str) -> None:
    assert acme.assessment is not None
    write_chart(acme.assessment.chart, tmp_path)
    damaged = tmp_path / f"{file}.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(MalformedInput, match=f"{file}.parquet is not what was stored"):
        read_chart(tmp_path)
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 2


def test_a_baseline_leaves_only_what_is_new(tmp_path: Path) -> None:
    runner = CliRunner()
    baseline = tmp_path / "baseline.json"
    first = runner.invoke(app, ["check", str(ACME), "--json"])
    assert first.exit_code == 1
    baseline.write_text(first.stdout)
    assert len(read_baseline(baseline)) > 30
    known = runner.invoke(app, ["check", str(ACME), "--baseline", str(baseline)])
    assert known.exit_code == 0
    assert "of the baseline" in known.stdout
    fewer = json.loads(first.stdout)
    gone = fewer["problems"].pop()
    baseline.write_text(json.dumps(fewer))
    again = runner.invoke(
        app, ["check", str(ACME), "--baseline", str(baseline), "--fail-on", "note", "--json"]
    )
    assert again.exit_code == 1
    left = json.loads(again.stdout)
    assert [one["fingerprint"] for one in left["problems"]] == [gone["fingerprint"]]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[" * 100_000,
        '{"kind": "locum.check/1", "problems": ' + "[" * 100_000,
        '{"kind": "locum.check/1", "problems": [{"fingerprint": []}], "notes": []}',
    ],
    ids=["list", "deep", "deep inside", "no text"],
)
def test_a_baseline_of_another_kind_is_refused(text: str, tmp_path: Path) -> None:
    other = tmp_path / "b.json"
    other.write_text(text)
    done = CliRunner().invoke(app, ["check", str(ACME), "--baseline", str(other)])
    assert done.exit_code == 2
    assert "is no report of locum.check/1" in done.output


@pytest.mark.parametrize(("level", "code"), [("never", 0), ("error", 1), ("warning", 1)])
def test_a_check_fails_from_the_wanted_severity_on(level: str, code: int) -> None:
    done = CliRunner().invoke(app, ["check", str(ACME), "--fail-on", level])
    assert done.exit_code == code


@pytest.mark.parametrize("form", ["junit", "graphml", "opengraph", "sarif"])
def test_every_form_can_be_read(form: str) -> None:
    from xml.etree import ElementTree

    done = CliRunner().invoke(app, ["check", str(ACME), "--format", form])
    if form in ("junit", "graphml"):
        assert len(ElementTree.fromstring(done.stdout)) > 50 or form == "graphml"
        return
    said = json.loads(done.stdout)
    if form == "opengraph":
        ids = {node["id"] for node in said["graph"]["nodes"]}
        ends = {one[end]["value"] for one in said["graph"]["edges"] for end in ("start", "end")}
        assert ends <= ids


def test_explain_answers_on_the_command_line() -> None:
    wanted = [
        "explain",
        "erin",
        "--estate",
        str(ACME),
        "--without",
        MAILBOX,
        "--with",
        "second-key",
    ]
    done = CliRunner().invoke(app, wanted)
    assert done.exit_code == 0
    assert "gone: weaker-behind of erin/reset" in done.stdout
    said = json.loads(CliRunner().invoke(app, [*wanted, "--json"]).stdout)
    assert said["then"]["weakest"] == "two factors, typed, bearer"


def test_nobody_is_explained_who_is_not_there() -> None:
    done = CliRunner().invoke(app, ["explain", "nobody", "--estate", str(ACME)])
    assert done.exit_code == 2
    assert "`nobody` is nothing of this estate" in done.output


def test_what_is_not_listed_fails_all_the_same() -> None:
    done = CliRunner().invoke(app, ["check", str(ACME), "--limit", "0"])
    assert done.exit_code == 1
    assert check(ACME, NOW, listed=0).has("error")


def test_an_accepted_downgrade_that_is_worse_than_what_was_accepted_is_told(acme: Report) -> None:
    assert "one < two" in _one(acme, "law-1", "erin/reset").fact
    deeper = _one(acme, "weaker-behind", "erin/reset")
    assert deeper.severity == "warning"
    assert "none < two" in deeper.fact


def test_more_than_is_listed_is_counted(acme: Report) -> None:
    few = check(ACME, NOW, listed=3)
    told = sum(many for _, many in few.unlisted)
    by_rule = {rule.id for rule in Rule}
    assert told == sum(one.rule in by_rule for one in (*acme.problems, *acme.notes)) - 3
    assert Rule.CIRCLE.id not in dict(few.unlisted)


def test_code_scanning_is_told_the_clauses_and_the_chain(acme: Report) -> None:
    [run] = as_sarif(acme)["runs"]
    SARIF.validate({"version": "2.1.0", "runs": [run]})
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert "ASVS 6.3.4" in rules["weaker-behind"]["properties"]["tags"]
    assert "properties" not in rules["yaml"]
    told = _one(acme, "weaker-behind", "erin/reset")
    [result] = [
        one for one in run["results"] if one["partialFingerprints"]["locum/v1"] == told.fingerprint
    ]
    assert result["properties"]["tags"] == list(told.clauses)
    [flow] = result["codeFlows"][0]["threadFlows"]
    steps = [one["location"] for one in flow["locations"]]
    assert tuple(one["message"]["text"] for one in steps) == told.chain
    assert {one["physicalLocation"]["region"]["startLine"] for one in steps} == {told.position.line}
    by_law = [one for one in run["results"] if one["ruleId"].startswith("law-")]
    assert any(one.get("properties", {}).get("tags") for one in by_law)


def test_a_pipeline_is_told_the_clauses_and_the_chain(acme: Report) -> None:
    told = _one(acme, "weaker-behind", "erin/reset")
    said = [one.text or "" for one in fromstring(as_junit(acme)).iter("failure")]
    [words] = [one for one in said if told.fact in one and str(told.position) in one]
    assert words.splitlines() == [
        str(told.position),
        f"[{', '.join(told.clauses)}]",
        told.fact,
        *(f"  {at}. {step}" for at, step in enumerate(told.chain, 1)),
        told.remedy,
    ]


def test_a_finding_is_known_by_its_fingerprint_before_it_is_told(acme: Report) -> None:
    assert acme.assessment is not None
    order = in_order(acme.assessment)
    told = tell_all(acme.assessment, order, 0)
    assert [one.fingerprint for one in told] == [
        fingerprint_at(acme.assessment, int(at)) for at in order
    ]


def test_the_limit_counts_what_no_baseline_knows(acme: Report) -> None:
    """A large estate lists so many findings; were known ones among them, new ones had no place."""
    every = [one.fingerprint for one in (*acme.problems, *acme.notes)]
    last = acme.notes[-1]
    report = check(ACME, NOW, listed=1, baseline=frozenset(every) - {last.fingerprint})
    assert (report.problems, report.notes, report.unlisted) == ((), (last,), ())
    assert not report.has("warning")
    two = frozenset(every) - {last.fingerprint, acme.notes[0].fingerprint}
    report = check(ACME, NOW, listed=1, baseline=two)
    assert sum(many for _, many in report.unlisted) == 1
