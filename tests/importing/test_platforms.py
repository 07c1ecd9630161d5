"""GitHub organisations, Okta tenants and BloodHound's graphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.analysis.explained import explain
from locum.estate.checking import check, of_chart
from locum.estate.graph.chart import chart
from locum.estate.graph.ways import minutes
from locum.estate.importing.export import Export, in_memory
from locum.estate.importing.github import Exports, read_github
from locum.estate.importing.okta import read_okta
from locum.estate.importing.opengraph import read_opengraph
from locum.estate.importing.proposing import propose
from locum.estate.inventory import NEVER, Inventory, Role
from locum.estate.named_once import refuse_twice_named
from locum.estate.problem import EstateError
from tests.importing.whole import whole

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def _export(value: Any) -> Export:
    return in_memory(json.dumps(value).encode(), "f")


MEMBERS = [{"login": "alice"}, {"login": "bob"}]
TOKEN = {
    "id": 7,
    "owner": {"login": "alice"},
    "access_granted_at": "2024-01-01T00:00:00Z",
    "token_expires_at": None,
    "token_last_used_at": "2026-11-01T00:00:00Z",
    "token_expired": False,
}
DEPLOY_KEY = {"id": 1, "created_at": "2023-01-01T00:00:00Z", "read_only": False, "enabled": True}


def _github(**changed: Any) -> Inventory:
    parts: dict[str, Any] = {
        "members": _export([MEMBERS]),
        "owners": _export(MEMBERS[:1]),
        "without_second": _export(MEMBERS[1:]),
        "tokens": _export([TOKEN]),
        "keys": (("shop", _export([DEPLOY_KEY])),),
        "subjects": (("shop", _export({"use_default": True})),),
    }
    return read_github("acme", Exports(**(parts | changed)))


USERS = [
    {
        "id": "1",
        "status": "ACTIVE",
        "profile": {"login": "alice@example.com", "email": "alice@example.com"},
        "credentials": {"provider": {"type": "OKTA"}},
    },
    {
        "id": "2",
        "status": "DEPROVISIONED",
        "profile": {"login": "bob@example.com"},
        "credentials": {"provider": {"type": "FEDERATION"}},
    },
]
FACTORS = {
    "1": [
        {"factorType": "webauthn", "status": "ACTIVE"},
        {"factorType": "email", "status": "ACTIVE"},
        {"factorType": "sms", "status": "PENDING_ACTIVATION"},
    ]
}
POLICIES = [
    {
        "status": "ACTIVE",
        "settings": {"recovery": {"factors": {"okta_email": {"status": "ACTIVE"}}}},
    }
]


def _okta() -> Inventory:
    roles = {"1": [{"type": "SUPER_ADMIN"}]}
    return _read_okta(_export(USERS), _export(FACTORS), _export(POLICIES), _export(roles))


def _read_okta(*exports: Export | None) -> Inventory:
    return whole(read_okta(*exports))  # type: ignore[arg-type]  # the first is always there


def _edge(start: str, kind: str, end: str, match_by: str = "id") -> dict[str, Any]:
    return {
        "kind": kind,
        "start": {"match_by": match_by, "value": start},
        "end": {"match_by": match_by, "value": end},
    }


NODES = [
    {"id": "u1", "kinds": ["User", "Base"], "properties": {"name": "ALICE@CORP"}},
    {"id": "u2", "kinds": ["AZUser"], "properties": {"name": "BOB@CORP"}},
    {"id": "g1", "kinds": ["Group"], "properties": {"name": "ADMINS@CORP"}},
    {"id": "c1", "kinds": ["Computer"], "properties": {"name": "DC@CORP"}},
]
EDGES = [
    _edge("u1", "MemberOf", "g1"),
    _edge("ADMINS@CORP", "AdminTo", "DC@CORP", "name"),
    _edge("c1", "HasSession", "u2"),
]


def _opengraph(edges: list[Any] = EDGES, nodes: list[Any] = NODES, **named: Any) -> Inventory:
    return read_opengraph(_export({"graph": {"edges": edges, "nodes": nodes}}), **named)


def _rules(inventory: Inventory) -> set[tuple[str, str]]:
    report = of_chart(chart(inventory), NOW)
    return {(one.rule, one.subject) for one in (*report.problems, *report.notes)}


def _methods(inventory: Inventory, identity: str) -> list[tuple[str, ...]]:
    return [one.methods for one in inventory.ways if one.identity == identity]


def test_a_deploy_key_stands_beside_what_actions_sign_in_with() -> None:
    found = _rules(_github())
    assert ("long-lived-beside", "repo.shop/deploy-key-1") in found
    assert ("old", "alice/token-7") in found


def test_github_says_who_has_no_second_factor_and_nothing_without_being_asked() -> None:
    assert _methods(_github(), "bob") == [("password",)]
    assert _methods(_github(), "alice") == [("password", "totp"), ("api-key",)]
    assert _methods(_github(without_second=None), "bob") == [("unknown",)]
    assert [one.name for one in _github().holders if one.privileged] == ["alice"]


def test_a_subject_that_names_no_repository_lets_every_repository_in() -> None:
    loose = _export({"use_default": False, "include_claim_keys": ["repository_owner"]})
    tight = _export({"use_default": False, "include_claim_keys": ["repo", "context"]})
    names = {one.name for one in _github(subjects=(("shop", loose),)).ways}
    assert "repo.shop/any-repository" in names
    names = {one.name for one in _github(subjects=(("shop", tight),)).ways}
    assert "repo.shop/any-repository" not in names


def test_a_token_of_somebody_who_is_no_member_is_kept() -> None:
    key = {
        "login": "mallory",
        "credential_id": 161195,
        "credential_type": "SSH key",
        "credential_authorized_at": "2022-01-01T00:00:00Z",
    }
    inventory = _github(authorizations=_export([key]))
    [way] = [one for one in inventory.ways if one.name == "mallory/authorised-161195"]
    assert (way.methods, way.ends) == (("ssh-key",), NEVER)
    assert "mallory" in {one.name for one in inventory.holders}
    assert ("old", "mallory/authorised-161195") in _rules(inventory)


def test_a_recovery_by_mail_stands_for_the_password_beside_the_second_factor() -> None:
    inventory = _okta()
    alice, bob = (one.name for one in inventory.holders)
    assert [one.name for one in inventory.holders if one.privileged] == [alice]
    assert _methods(inventory, alice) == [
        ("password", "passkey-synced"),
        ("password", "email-code"),
        ("email-code", "passkey-synced"),
        ("email-code",),
    ]
    assert ("weaker-behind", f"{alice}/reset-email-code-email-code") in _rules(inventory)
    assert [(one.role, one.active) for one in inventory.ways if one.identity == bob] == [
        (Role.PRIMARY, False)
    ]


def test_every_repository_that_gets_in_is_an_error() -> None:
    loose = _export({"use_default": False, "include_claim_keys": ["repository_owner"]})
    report = of_chart(chart(_github(subjects=(("shop", loose),))), NOW)
    [wider] = [one for one in report.problems if one.rule == "wider"]
    assert "all repositories of acme get in" in wider.fact


def test_another_token_never_takes_over_the_name_of_one() -> None:
    def names(*ids: int) -> set[str]:
        tokens = _export([TOKEN | {"id": one} for one in ids])
        keys = (("shop", _export([DEPLOY_KEY | {"id": one} for one in ids])),)
        return {one.name for one in _github(tokens=tokens, keys=keys).ways if "/" in one.name}

    assert names(1, 2) & names(3, 2) == {"alice/token-2", "repo.shop/deploy-key-2"}

    def edges(*some: dict[str, Any]) -> dict[str, str]:
        found = _opengraph([*some]).ways
        return {one.name: one.rests_on[""][0] for one in found if one.role is Role.FOUND}

    first, second = _edge("u1", "AdminTo", "c1"), _edge("g1", "AdminTo", "c1")
    assert edges(first, second) == edges(second, first) == edges(first, first, second)
    assert edges(second).items() <= edges(first, second).items()


def test_a_custom_administrator_of_okta_is_powerful_and_one_who_looks_is_not() -> None:
    for kind, powerful in (("CUSTOM", True), ("REPORT_ADMIN", False)):
        roles = _export({"1": [{"type": kind}]})
        inventory = _read_okta(_export(USERS), None, None, roles)
        assert [one.privileged for one in inventory.holders] == [powerful, False]


_USER = USERS[0]
_KINDS: list[Callable[[], Inventory]] = [
    lambda: _read_okta(_export([_USER | {"credentials": "none"}])),
    lambda: _read_okta(_export([_USER | {"id": [1]}])),
    lambda: _read_okta(_export([_USER | {"status": "ALIVE"}])),
    lambda: _read_okta(_export(USERS), _export({"1": [5]})),
    lambda: _read_okta(_export(USERS), _export({"1": [{"factorType": "push", "status": "ON"}]})),
    lambda: _read_okta(_export(USERS), None, _export([POLICIES[0] | {"status": "ON"}])),
    lambda: _read_okta(_export(USERS), None, None, _export({"1": [{"type": 5}]})),
    lambda: _opengraph([], [{"id": "a", "kinds": 5}]),
    lambda: _opengraph([], [{"id": "a", "kinds": [5]}]),
    lambda: _opengraph([_edge("u1", "Owns", "c1", "guess")]),
    lambda: _github(subjects=(("shop", _export({"use_default": False, "include_claim_keys": 5})),)),
    lambda: _github(tokens=_export([TOKEN | {"owner": "alice"}])),
    lambda: _github(tokens=_export([TOKEN | {"token_expired": "true"}])),
    lambda: _github(tokens=_export([{key: TOKEN[key] for key in TOKEN if key != "id"}])),
    lambda: _github(tokens=_export([TOKEN, TOKEN])),
    lambda: _github(members=_export([*MEMBERS, *MEMBERS])),
    lambda: _github(keys=(("shop", _export([DEPLOY_KEY | {"enabled": 1}])),)),
    lambda: _read_okta(_export([*USERS, USERS[0] | {"id": "3"}])),
]


@pytest.mark.parametrize("read", _KINDS)
def test_what_is_of_another_kind_or_stands_twice_is_refused(
    read: Callable[[], Inventory],
) -> None:
    with pytest.raises(EstateError) as refused:
        refuse_twice_named(read())
    problem = refused.value.problems[0]
    assert problem.rule in ("type", "value", "missing-key", "duplicate-key")
    assert problem.position.file == "f"


def test_without_factors_nobody_knows_what_okta_asks_for() -> None:
    inventory = _read_okta(_export(USERS))
    assert _methods(inventory, inventory.holders[0].name) == [("password", "unknown")]


def test_control_is_followed_through_groups_of_groups() -> None:
    nested = [
        _edge("u1", "MemberOf", "g1"),
        _edge("g1", "MemberOf", "g2"),
        _edge("g2", "Owns", "c1"),
    ]
    inventory = _opengraph(nested)
    said = explain(chart(inventory), "c1", minutes(NOW)).before
    assert {"u1", "custodian:g1", "custodian:g2"} <= set(said.alone)
    assert "u2" not in said.alone
    assert "unknown-root" not in {rule for rule, _ in _rules(inventory)}


def test_edges_may_name_nodes_by_their_names() -> None:
    [rests] = [
        one.rests_on[""] for one in _opengraph().ways if one.rests_on and one.identity == "c1"
    ]
    assert rests == ("custodian:g1",)


def test_kinds_of_edges_can_be_left_out() -> None:
    inventory = _opengraph(without=("HasSession",))
    assert [one.methods for one in inventory.ways if one.identity == "u2"] == [("unknown",)]


def test_a_node_that_nothing_defines_is_unknown() -> None:
    inventory = _opengraph([*EDGES, _edge("s-1-5", "AdminTo", "c1")])
    assert ("unknown-root", "custodian:s-1-5") in _rules(inventory)


@pytest.mark.parametrize("make", [_github, _okta, _opengraph])
def test_what_is_proposed_can_be_adopted(make: Callable[[], Inventory], tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    file.write_text(propose(make()))
    report = check(file, NOW)
    assert report.assessment is not None, report.problems


_SUBJECT = _export({"include_claim_keys": []})
_BROKEN: list[tuple[Callable[[], Inventory], str]] = [
    (lambda: _github(members=_export({"login": "x"})), "type"),
    (lambda: _github(members=_export([{"id": 1}])), "missing-key"),
    (lambda: _github(members=in_memory(b'[{"login": "a"', "f")), "yaml"),
    (lambda: _github(tokens=_export([{"token_expired": False}])), "missing-key"),
    (lambda: _github(tokens=_export([TOKEN | {"token_expires_at": "soon"}])), "value"),
    (lambda: _github(subjects=(("shop", _SUBJECT),)), "missing-key"),
    (lambda: _read_okta(_export({})), "type"),
    (lambda: _read_okta(_export([{"id": "1"}])), "missing-key"),
    (lambda: _read_okta(_export(USERS), _export([])), "type"),
    (lambda: _read_okta(_export(USERS), None, _export([{"settings": {}}])), "missing-key"),
    (lambda: read_opengraph(_export({})), "missing-key"),
    (lambda: _opengraph(nodes=[NODES[0], NODES[0]]), "duplicate-key"),
    (lambda: _opengraph([{"kind": "MemberOf"}]), "missing-key"),
    (
        lambda: _opengraph(
            [_edge("X", "Owns", "X", "name")],
            [{"id": "a", "properties": {"name": "X"}}, {"id": "b", "properties": {"name": "X"}}],
        ),
        "value",
    ),
]


@pytest.mark.parametrize(("read", "rule"), _BROKEN)
def test_a_broken_export_is_refused_at_its_place(read: Callable[[], Inventory], rule: str) -> None:
    with pytest.raises(EstateError) as refused:
        read()
    [problem] = refused.value.problems
    assert (problem.rule, problem.position.file) == (rule, "f")


def test_the_commands_read_files(tmp_path: Path) -> None:
    def put(name: str, value: Any) -> str:
        (tmp_path / name).write_text(json.dumps(value))
        return str(tmp_path / name)

    members, keys = put("members", MEMBERS), put("keys", [DEPLOY_KEY])
    subject = put("subject", {"use_default": True})
    graph = put("graph", {"graph": {"nodes": NODES, "edges": EDGES}})
    github = ["github", "acme", "--members", members]
    done = CliRunner().invoke(
        app, ["import", *github, "--keys", f"shop={keys}", "--oidc", f"shop={subject}"]
    )
    assert done.exit_code == 1, done.output
    assert "long-lived-beside" in done.output
    done = CliRunner().invoke(app, ["import", *github, "--keys", keys])
    assert done.exit_code == 2
    assert "is not REPO=FILE" in done.output
    for wanted in (["okta", put("users", USERS)], ["bloodhound", graph]):
        done = CliRunner().invoke(app, ["import", *wanted, "--store", str(tmp_path / wanted[0])])
        assert done.exit_code in (0, 1), done.output
        assert "Traceback" not in done.output
