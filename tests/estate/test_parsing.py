from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from locum.estate.loading import load
from locum.model import path as declared
from locum.model.cause import Cause, HttpProbe, OidcProbe, SqlProbe, TcpProbe
from locum.model.constraint import (  # fmt: skip
    AllOf,
    AnyOf,
    Exact,
    Glob,
    NotOneOf,
    OneOf,
    PathPrefix,
    Range,
    Subset,
)
from locum.model.estate import Kind
from locum.model.names import GroupName, IdentityName, PathName
from locum.model.strength import Proofing
from tests.estate.estates import STATIC, bent, lawful, path_with, written

NAME = PathName(IdentityName("orders-db-admin"), "break-glass")


def path_of(folder: Path, **fields: Any) -> declared.Path:
    found = load(written(folder, path_with(**fields))).estate.path(NAME)
    assert found is not None
    return found


def test_what_is_not_said_is_the_strict_default(tmp_path: Path) -> None:
    path = path_of(tmp_path)
    assert path.limits == declared.Limits(timedelta(minutes=20), 1, None)
    assert path.review == declared.ReviewRule(
        GroupName("platform-security"), timedelta(hours=24), declared.Blocks.WHEN_OVERDUE
    )
    assert path.approvals == declared.Approvals(GroupName("sre-leads"), 2, timedelta(hours=1), None)
    assert path.authority is None
    assert path.requesters is None
    assert path.closes == frozenset()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2027-06-30", datetime(2027, 7, 1, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 3, 1, tzinfo=UTC)),
        ("2027-12-31", datetime(2028, 1, 1, tzinfo=UTC)),
        ("2027-06-30T10:00:00Z", datetime(2027, 6, 30, 10, tzinfo=UTC)),
        ("2027-06-30T10:00:00+02:00", datetime(2027, 6, 30, 8, tzinfo=UTC)),
        ("2027-06-30T10:00:00.5Z", datetime(2027, 6, 30, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_a_day_counts_to_its_end_and_a_time_to_itself(
    tmp_path: Path, text: str, instant: datetime
) -> None:
    until = path_of(tmp_path, until=text).until
    assert (until, until.tzinfo) == (instant, UTC)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("30s", timedelta(seconds=30)),
        ("20m", timedelta(minutes=20)),
        ("24h", timedelta(hours=24)),
        ("90d", timedelta(days=90)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_read_in_its_unit(tmp_path: Path, text: str, span: timedelta) -> None:
    review = {"by": "platform-security", "within": text}
    assert path_of(tmp_path, review=review).review.within == span


@pytest.mark.parametrize(
    ("drill", "lead"),
    [
        ({"every": "90d"}, timedelta(days=14)),
        ({"every": "10d"}, timedelta(days=5)),
        ({"every": "10d", "lead": "1d"}, timedelta(days=1)),
    ],
)
def test_a_drill_may_begin_a_fortnight_early_or_half_its_interval(
    tmp_path: Path, drill: dict[str, str], lead: timedelta
) -> None:
    found = path_of(tmp_path, drill=drill).drill
    assert found is not None
    assert found.lead == lead


@pytest.mark.parametrize(
    ("raw", "probe"),
    [
        ({"http": "https://example.com/"}, HttpProbe("https://example.com/")),
        ({"oidc": "https://example.com"}, OidcProbe("https://example.com")),
        ({"tcp": "db.internal:5432"}, TcpProbe("db.internal", 5432)),
        ({"tcp": "[::1]:5432"}, TcpProbe("::1", 5432)),
        ({"sql": "orders-db"}, SqlProbe("orders-db")),
    ],
)
def test_a_probe_is_of_one_kind(tmp_path: Path, raw: dict[str, str], probe: object) -> None:
    assert path_of(tmp_path, probe=raw).probe == probe


def test_a_postgresql_role_is_a_target(tmp_path: Path) -> None:
    assert path_of(tmp_path).target == declared.PostgresqlRole("orders_admin", "orders-db")


@pytest.mark.parametrize(
    ("rotate", "check", "rotated", "checked"),
    [
        (
            {"command": "rotate-key"},
            {"http": {"url": "https://example.com/"}},
            declared.Hook("rotate-key"),
            declared.HttpCheck("https://example.com/", "Authorization", "Bearer ", (401, 403)),
        ),
        (
            {"webhook": "https://example.com/rotate"},
            {"command": "check-key"},
            declared.Webhook("https://example.com/rotate"),
            declared.Hook("check-key"),
        ),
        (
            {"command": "rotate-key"},
            {"http": {"url": "https://example.com/", "header": "X-Key", "prefix": "",
                      "refused": [401]}},
            declared.Hook("rotate-key"),
            declared.HttpCheck("https://example.com/", "X-Key", "", (401,)),
        ),
    ],
)  # fmt: skip
def test_a_static_secret_is_a_target(
    tmp_path: Path, rotate: Any, check: Any, rotated: Any, checked: Any
) -> None:
    target = path_of(tmp_path, target={**STATIC, "rotate": rotate, "check": check}).target
    assert target == declared.StaticSecret("api-key", "API_KEY", rotated, checked)


@pytest.mark.parametrize(
    ("raw", "constraint"),
    [
        ({"exact": True}, Exact(True)),
        ({"exact": None}, Exact(None)),
        ({"one_of": [1, "1", 1.5]}, OneOf((1, "1", 1.5))),
        ({"one_of": [1, 1.0, True]}, OneOf((1, 1.0, True))),
        ({"not_one_of": ["x"]}, NotOneOf(("x",))),
        ({"range": [1, 100]}, Range(1, 100)),
        ({"range": [0.5, 1]}, Range(0.5, 1)),
        ({"path_prefix": "/reports"}, PathPrefix("/reports")),
        ({"glob": "/reports/*"}, Glob("/reports/*")),
        ({"subset": ["a", "b"]}, Subset(("a", "b"))),
        ({"all": [{"glob": "*"}, {"not_one_of": ["x"]}]}, AllOf((Glob("*"), NotOneOf(("x",))))),
        ({"any": [{"exact": 1}]}, AnyOf((Exact(1),))),
    ],
)
def test_a_constraint_is_read_with_its_types(tmp_path: Path, raw: Any, constraint: Any) -> None:
    authority = path_of(tmp_path, authority={"tools": {"t": {"x": raw}}}).authority
    assert authority is not None
    found = authority.tools["t"]["x"]
    assert found == constraint
    if isinstance(constraint, OneOf) and isinstance(found, OneOf):
        assert list(map(type, found.values)) == list(map(type, constraint.values))


def test_an_authority_that_says_nothing_is_nothing_and_not_the_primarys(tmp_path: Path) -> None:
    authority = path_of(tmp_path, authority={}).authority
    assert authority is not None
    assert not authority.audiences


def test_methods_are_one_or_several(tmp_path: Path) -> None:
    way = ("identities", "alice", "primary", "method")
    estate = load(written(tmp_path, bent(way, ["password", "totp"]))).estate
    assert estate.identities[IdentityName("alice")].primary.methods == ("password", "totp")
    assert estate.identities[IdentityName("bob")].primary.methods == ("passkey-device-bound",)


def test_a_machine_is_worth_its_declared_owner_and_a_person_their_proofing(tmp_path: Path) -> None:
    estate = load(written(tmp_path, bent(("identities", "alice", "proofing"), "ial2"))).estate
    assert estate.identities[IdentityName("alice")].proofing is Proofing.IAL2
    assert estate.identities[IdentityName("bob")].proofing is Proofing.NONE
    assert estate.identities[NAME.identity].proofing is Proofing.DECLARED_OWNER
    assert estate.identities[NAME.identity].kind is Kind.WORKLOAD


def test_a_path_may_have_several_causes_and_closing_rules(tmp_path: Path) -> None:
    path = path_of(
        tmp_path,
        causes=["outage", "drill", "lost"],
        drill={"every": "90d"},
        closes=["restored", "cutover"],
        probe={"sql": "orders-db"},
    )
    assert path.causes == {Cause.OUTAGE, Cause.DRILL, Cause.LOST}
    assert path.closes == {declared.CloseRule.RESTORED, declared.CloseRule.CUTOVER}


def test_the_digest_is_that_of_what_is_said_and_not_of_how(tmp_path: Path) -> None:
    first = load(written(tmp_path, lawful())).estate.digest
    again = dict(reversed(lawful().items()))
    again["groups"]["sre-leads"].reverse()
    text = "# a comment\n" + written(tmp_path, again).read_text()
    assert load(written(tmp_path, text)).estate.digest == first
    assert load(written(tmp_path, path_with(reason="another"))).estate.digest != first
