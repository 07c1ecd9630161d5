"""AWS accounts: what the exports leave open stays open, and counts as the weakest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from locum.estate.checking import of_chart
from locum.estate.graph.chart import chart
from locum.estate.importing.aws import read_aws
from locum.estate.importing.export import in_memory
from locum.estate.importing.naming import name_of
from locum.estate.inventory import Inventory, Role, Way
from locum.estate.problem import EstateError, Problem
from tests.importing.whole import whole

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HEAD = (
    "user,arn,password_enabled,password_last_used,password_last_changed,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date\n"
)
ROOT = "<root_account>,arn:aws:iam::1:root,{},2026-01-02T03:04:05+00:00,N/A,false,false,N/A,N/A\n"
USER = (
    "{},arn:aws:iam::1:user/x,false,N/A,N/A,false,true,"
    "2026-01-01T00:00:00+00:00,2026-01-01T00:00:00+00:00\n"
)

OIDC = "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
SUBJECT = "token.actions.githubusercontent.com:sub"
EMPTY: dict[str, Any] = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": []}
ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _read(report: str | None = None, **more: Any) -> Inventory:
    details = in_memory(json.dumps(EMPTY | more).encode(), "details.json")
    rows = in_memory((HEAD + report).encode(), "r.csv") if report else None
    return whole(read_aws(details, rows))


def _role(*statements: Any, **more: Any) -> Inventory:
    role = {"RoleName": "ci", "AssumeRolePolicyDocument": {"Statement": [*statements]}}
    return _read(RoleDetailList=[role | more])


def _allow(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}


def _beside(inventory: Inventory) -> list[Way]:
    return [one for one in inventory.ways if one.role is Role.FOUND]


def _wider(inventory: Inventory) -> list[Problem]:
    report = of_chart(chart(inventory), NOW)
    return [one for one in report.problems if (one.rule, one.severity) == ("wider", "error")]


def test_a_password_that_the_report_does_not_tell_of_is_unknown_and_works() -> None:
    [way] = _read(ROOT.format("not_supported")).ways
    assert (way.methods, way.active) == (("unknown",), True)
    [way] = _read(ROOT.format("true")).ways
    assert way.methods == ("password",)


@pytest.mark.parametrize(
    "statement",
    ["x", {"Principal": "*"}, _allow({"AWS": "*"}) | {"Effect": "allow"}, None, _allow({})],
)
def test_a_statement_that_cannot_be_read_lets_anybody_in(statement: Any) -> None:
    [error] = _wider(_role(statement))
    assert "anybody may take it on" in error.fact


def test_a_key_of_which_the_report_does_not_tell_is_taken_to_work() -> None:
    assert _beside(_read(ROOT.format("true").replace("false,false,N/A", "false,N/A,N/A")))
    assert not _beside(_read(ROOT.format("true")))


def test_another_key_in_the_place_of_one_is_another_way_in() -> None:
    def names(made: str) -> set[str]:
        root = ROOT.format("true").replace("false,false,N/A,N/A", f"false,true,{made},N/A")
        return {one.name for one in _read(root).ways if one.role is Role.FOUND}

    old, new = names("2020-01-01T00:00:00+00:00"), names("2026-01-01T00:00:00+00:00")
    assert old
    assert not old & new


def test_a_statement_that_denies_lets_nobody_in() -> None:
    [way] = _role({"Effect": "Deny", "Principal": "*"}).ways
    assert not way.active


@pytest.mark.parametrize("anybody", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_a_role_that_anybody_may_take_on_is_an_error_that_says_so(anybody: Any) -> None:
    admin = {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    inventory = _role(_allow(anybody), AttachedManagedPolicies=[admin])
    assert [one.privileged for one in inventory.holders] == [True]
    [error] = _wider(inventory)
    assert "anybody may take it on (NHI6)" in error.fact
    limited = _allow(anybody, Condition={"StringEquals": {"sts:ExternalId": "x"}})
    assert not _wider(_role(limited))
    assert _role(limited).ways[0].rests_on == {"": ("custodian:anybody",)}


@pytest.mark.parametrize(
    ("condition", "open_to_all"),
    [
        (None, True),
        ({"StringEquals": {SUBJECT: "repo:o/r:ref:refs/heads/main"}}, False),
        ({"StringLike": {SUBJECT: ["repo:o/*"]}}, False),
        ({"StringLike": {SUBJECT: "*"}}, True),
        ({"StringLike": {SUBJECT: ["repo:o/r:*", "repo:*"]}}, True),
        ({"StringNotEquals": {SUBJECT: "repo:o/r"}}, True),
        ({"StringEqualsIfExists": {SUBJECT: "repo:o/r"}}, True),
        ({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}, True),
        ({"StringEquals": "x"}, True),
    ],
)
def test_a_trust_in_an_issuer_asks_for_a_subject_or_is_wider(
    condition: Any, open_to_all: bool
) -> None:
    more = {} if condition is None else {"Condition": condition}
    wider = [one.wider for one in _beside(_role(_allow({"Federated": OIDC}, **more)))]
    assert bool(wider) == open_to_all
    assert all("no subject is asked for (NHI6)" in one for one in wider)


def test_a_role_rests_on_the_identities_of_its_account_that_may_take_it_on() -> None:
    user = {"UserName": "dep", "Arn": "arn:aws:iam::1:user/team/dep"}
    other = {
        "RoleName": "other", "Arn": "arn:aws:iam::1:role/other",
        "AssumeRolePolicyDocument": {"Statement": []},
    }  # fmt: skip
    names = [user["Arn"], "arn:aws:sts::1:assumed-role/other/s", "arn:aws:iam::2:root"]
    for name, rests in zip(names, ["dep", "role-other", f"custodian:{names[2]}"], strict=True):
        role = {
            "RoleName": "ci",
            "AssumeRolePolicyDocument": {"Statement": _allow({"AWS": name})},
        }
        inventory = _read(UserDetailList=[user], RoleDetailList=[role, other])
        [way] = [one for one in inventory.ways if one.identity == "role-ci"]
        assert way.rests_on == {"": (rests,)}
    one_of = {"Statement": [_allow({"AWS": names})]}
    role = {"RoleName": "ci", "AssumeRolePolicyDocument": one_of}
    inventory = _read(UserDetailList=[user], RoleDetailList=[role, other])
    [either] = inventory.roots
    assert [one.rests_on[0] for one in either.ways] == [
        "dep", "role-other", f"custodian:{names[2]}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [
        {"UserPolicyList": [{"PolicyName": "a", "PolicyDocument": ALL}]},
        {"AttachedManagedPolicies": [{"PolicyArn": "arn:aws:iam::1:policy/everything"}]},
        {"GroupList": ["wide"]},
    ],
)
def test_whoever_may_do_anything_is_privileged(more: dict[str, Any]) -> None:
    policy = {
        "Arn": "arn:aws:iam::1:policy/everything",
        "PolicyVersionList": [
            {"Document": ALL, "IsDefaultVersion": True},
            {"Document": {"Statement": []}, "IsDefaultVersion": False},
        ],
    }
    group = {"GroupName": "wide", "GroupPolicyList": [{"PolicyDocument": ALL}]}
    for given, privileged in ((more, True), ({}, False)):
        inventory = _read(
            UserDetailList=[{"UserName": "u", **given}],
            GroupDetailList=[group],
            Policies=[policy],
        )
        assert [one.privileged for one in inventory.holders] == [privileged]


def test_a_user_is_no_role_whatever_it_is_called() -> None:
    role = {"RoleName": "x", "AssumeRolePolicyDocument": {"Statement": []}}
    inventory = _read(UserDetailList=[{"UserName": "role-x"}], RoleDetailList=[role])
    assert {one.name for one in inventory.holders} == {name_of("user role-x"), "role-x"}


def test_what_stands_twice_is_refused_with_both_places() -> None:
    users = [{"UserName": "dep"}, {"UserName": "dep"}]
    for report, more in ((USER.format("dep") * 2, {}), (None, {"UserDetailList": users})):
        with pytest.raises(EstateError) as refused:
            _read(report, **more)
        problem = refused.value.problems[0]
        assert problem.rule == "duplicate-key"
        assert problem.related is not None
        assert problem.related != problem.position


@pytest.mark.parametrize(
    "more",
    [
        {"GroupDetailList": [{"GroupName": "a"}, {"GroupName": "a"}]},
        {"Policies": [{"Arn": "a"}, {"Arn": "a"}]},
    ],
)
def test_a_group_or_a_policy_stands_once(more: dict[str, Any]) -> None:
    with pytest.raises(EstateError, match=r"stands twice, first in details\.json:1:"):
        _read(**more)


@pytest.mark.parametrize("more", [{"IsTruncated": True}, {"Marker": "AAE="}])
def test_one_page_of_several_is_no_account(more: dict[str, Any]) -> None:
    with pytest.raises(EstateError, match="one page of several"):
        _read(**more)
    assert _read(IsTruncated=False).holders == ()


@pytest.mark.parametrize(
    "user",
    [
        {"UserName": 5},
        {"UserName": "u", "GroupList": "admins"},
        {"UserName": "u", "GroupList": [None]},
        {"UserName": "u", "AttachedManagedPolicies": True},
        {"UserName": "u", "AttachedManagedPolicies": ["x"]},
    ],
)
def test_a_field_of_another_kind_is_refused_at_its_place(user: dict[str, Any]) -> None:
    with pytest.raises(EstateError) as refused:
        _read(UserDetailList=[user])
    [problem] = refused.value.problems
    assert (problem.rule, str(problem.position)) == ("type", "details.json:1:21")


def test_a_group_that_is_not_listed_is_a_part_that_is_missing() -> None:
    with pytest.raises(EstateError, match="which is not listed"):
        _read(UserDetailList=[{"UserName": "u", "GroupList": ["admins"]}])
    with pytest.raises(EstateError, match="A policy has no"):
        _read(UserDetailList=[{"UserName": "u", "AttachedManagedPolicies": [{}]}])


@pytest.mark.parametrize("broken", ['"', '"a" b', '"' + "x" * 140_000])
def test_a_report_that_is_no_csv_is_refused(broken: str) -> None:
    with pytest.raises(EstateError, match="not CSV"):
        _read(f"{broken},arn,true,N/A,N/A,false,false,N/A,N/A\n")
