"""What one part of an estate says about another, and values that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from locum.estate.checking import check
from locum.estate.loading import load
from tests.estate.estates import (
    NOW,
    PATH,
    STATIC,
    bent,
    lawful,
    only_problem,
    path_with,
    problems_of,
    written,
)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"approvals": {"of": "nobody", "need": 1}}, "approvals.of"),
        ({"approvals": {"of": "sre-leads", "need": 1, "escalate": {"to": "nobody", "after": "5m"}}},
         "approvals.escalate.to"),
        ({"review": {"by": "nobody"}}, "review.by"),
        ({"requesters": "nobody"}, "requesters"),
        ({"probe": {"sql": "nowhere"}}, "probe.sql"),
        ({"target": {"postgresql-role": "orders_admin", "database": "nowhere"}}, "target.database"),
        ({"review": {"by": "dana"}}, "review.by"),
    ],
)  # fmt: skip
def test_a_name_that_is_used_must_be_declared(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    problem = only_problem(tmp_path, path_with(**fields))
    assert (problem.rule, problem.field) == ("dangling-name", field)


def test_a_group_holds_people_of_this_estate(tmp_path: Path) -> None:
    members = ["alice", "bob", "orders-db-admin", "nobody"]
    found = problems_of(tmp_path, bent(("groups", "sre-leads"), members))
    assert [(problem.rule, problem.field) for problem in found] == [
        ("dangling-name", "groups.sre-leads.2"),
        ("dangling-name", "groups.sre-leads.3"),
    ]


@pytest.mark.parametrize("principal", ["nobody", "orders-db-admin"])
def test_an_identity_acts_for_another_that_is_declared(tmp_path: Path, principal: str) -> None:
    whole = bent(("identities", "orders-db-admin", "acts_for"), principal)
    assert only_problem(tmp_path, whole).field == "acts_for"


@pytest.mark.parametrize("members", [None, []])
def test_there_are_administrators(tmp_path: Path, members: list[str] | None) -> None:
    whole = bent(("groups", "administrators"), members)
    if members is None:
        del whole["groups"]["administrators"]
    assert only_problem(tmp_path, whole).rule == "administrators"


def test_no_more_approvals_are_needed_than_there_are_people(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, path_with(approvals={"of": "sre-leads", "need": 4}))
    assert (problem.rule, problem.field) == ("approvals", "approvals.need")


def test_a_method_that_opens_a_target_names_one(tmp_path: Path) -> None:
    whole = lawful()
    del whole["identities"]["orders-db-admin"]["fallbacks"]["break-glass"]["target"]
    assert "`target` is missing" in only_problem(tmp_path, whole).fact


def test_a_method_that_opens_no_target_names_none(tmp_path: Path) -> None:
    assert only_problem(tmp_path, path_with(method="leased-token")).rule == "target"


@pytest.mark.parametrize("target", [None, STATIC])
def test_a_target_belongs_to_one_path(tmp_path: Path, target: dict[str, Any] | None) -> None:
    whole = lawful() if target is None else path_with(target=target)
    paths = whole["identities"]["orders-db-admin"]["fallbacks"]
    paths["second"] = paths["break-glass"]
    problem = only_problem(tmp_path, whole)
    assert (problem.rule, problem.subject) == ("target", "orders-db-admin/second")
    assert problem.related is not None


def test_one_server_under_two_names_is_one_server(tmp_path: Path) -> None:
    whole = lawful()
    whole["databases"]["same"] = whole["databases"]["orders-db"]
    paths = whole["identities"]["orders-db-admin"]["fallbacks"]
    target = {"postgresql-role": "orders_admin", "database": "same"}
    paths["second"] = {**paths["break-glass"], "target": target}
    assert only_problem(tmp_path, whole).rule == "target"


@pytest.mark.parametrize(
    "target",
    [
        {"postgresql-role": "locum", "database": "orders-db"},
        {**STATIC, "static": "orders-db"},
    ],
)
def test_a_path_never_hands_out_what_locum_works_with(
    tmp_path: Path, target: dict[str, Any]
) -> None:
    assert only_problem(tmp_path, path_with(target=target)).rule == "target"


def test_a_method_with_a_slip_in_it_is_refused_in_a_primary(tmp_path: Path) -> None:
    way = ("identities", "orders-db-admin", "primary", "method")
    problem = only_problem(tmp_path, bent(way, "x509-certifcate"))
    assert problem.remedy == "Did you mean `x509-certificate`?"


def test_a_method_that_nobody_knows_is_a_warning_at_its_place(tmp_path: Path) -> None:
    way = ("identities", "orders-db-admin", "primary", "method")
    report = check(written(tmp_path, bent(way, ["kerberos"])), NOW)
    problem, beside = report.problems
    assert (problem.severity, problem.rule) == ("warning", "method")
    assert (beside.severity, beside.rule) == ("warning", "unknown-primary")
    assert problem.field == "primary.method.0"
    assert not report.refused


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"until": "2027-02-29"}, "until", "value"),
        ({"until": "2027-06-30T25:00:00Z"}, "until", "value"),
        ({"until": "9999-12-31"}, "until", "value"),
        ({"until": "9999-12-31T23:59:59-01:00"}, "until", "value"),
        ({"until": "0000-01-01"}, "until", "value"),
        ({"waiver": {"owner": "ciso", "reason": "x", "until": "2027-13-01"}},
         "waiver.until", "value"),
        ({"drill": {"every": "1d", "lead": "2d"}}, "drill.lead", "value"),
        ({"approvals": {"of": "sre-leads", "need": 2,
                        "escalate": {"to": "sre-leads", "after": "1h"}}},
         "approvals.escalate.after", "value"),
        ({"probe": {"tcp": "db.internal:65536"}}, "probe.tcp", "value"),
        ({"probe": {"tcp": "[fe80:::1]:1"}}, "probe.tcp", "value"),
        ({"context": ["managed-device", "network:10.0.0.1/8"]}, "context.1", "value"),
        ({"authority": {"tools": {"t": {"x": {"range": [2, 1]}}}}},
         "authority.tools.t.x.range", "value"),
        ({"authority": {"tools": {"t": {"x": {"any": [{"all": [{"range": [2, 1]}]}]}}}}},
         "authority.tools.t.x.any.0.all.0.range", "value"),
        ({"authority": {"tools": {"t": {"x": {"path_prefix": "/a/../.."}}}}},
         "authority.tools.t.x.path_prefix", "value"),
        ({"probe": {"http": "http://example.com"}}, "probe.http", "url"),
        ({"probe": {"oidc": "http://127.0.0.1.example.com"}}, "probe.oidc", "url"),
        ({"probe": {"http": "https://me@example.com"}}, "probe.http", "url"),
        ({"probe": {"http": "https://example.com#x"}}, "probe.http", "url"),
        ({"probe": {"http": "https:///x"}}, "probe.http", "url"),
        ({"probe": {"http": "https://example.com:99999"}}, "probe.http", "url"),
        ({"probe": {"http": "https://[::1"}}, "probe.http", "url"),
        ({"target": {**STATIC, "rotate": {"webhook": "http://example.com"}}},
         "target.rotate.webhook", "url"),
        ({"target": {**STATIC, "check": {"http": {"url": "http://example.com"}}}},
         "target.check.http.url", "url"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_named_by_its_field(
    tmp_path: Path, fields: dict[str, Any], field: str, rule: str
) -> None:
    problem = only_problem(tmp_path, path_with(**fields))
    assert (problem.field, problem.rule) == (field, rule)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://127.0.0.1:8440/healthz",
        "http://[::1]:1/",
        "http://localhost/",
    ],
)
def test_plain_http_stays_on_this_machine(tmp_path: Path, url: str) -> None:
    load(written(tmp_path, path_with(probe={"http": url})))


def test_a_machine_has_no_proofing(tmp_path: Path) -> None:
    problem = only_problem(tmp_path, bent(("identities", "orders-db-admin", "proofing"), "ial2"))
    assert problem.field == "proofing"


@pytest.mark.parametrize("word", ["until", "tcp", "range", "http", "authority", "fallbacks"])
def test_a_thing_may_be_called_as_a_field_is(tmp_path: Path, word: str) -> None:
    whole = path_with(authority={"tools": {word: {word: {"exact": 1}}}})
    whole["identities"][word] = {
        "kind": "workload",
        "owner": "x",
        "primary": {"method": "api-key", "authority": {"tools": {word: {word: {"exact": 1}}}}},
        "fallbacks": {
            word: {**whole["identities"][PATH[1]]["fallbacks"][PATH[3]], "target": STATIC}
        },
    }
    whole["groups"][word] = ["alice"]
    whole["databases"][word] = {**whole["databases"]["orders-db"], "admin_secret": word}
    assert word in load(written(tmp_path, whole)).estate.identities
