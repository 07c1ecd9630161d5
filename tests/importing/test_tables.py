"""Tables: what a row says is what is read, and a slip is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from locum.estate.checking import of_chart
from locum.estate.graph.chart import chart
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.export import in_memory
from locum.estate.inventory import Inventory, Role
from locum.estate.problem import EstateError, Problem
from tests.importing.whole import whole

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HEAD = "identity,kind,role,method,rests_on,created,ends,name\n"
PRIMARY = "p,workload,primary,oidc-workload-token,,,,\n"


def _read(rows: str) -> Inventory:
    return whole(read_csv(in_memory((HEAD + rows).encode(), "t.csv")))


def _refused(rows: str) -> Problem:
    with pytest.raises(EstateError) as refused:
        _read(rows)
    return refused.value.problems[0]


def _found(rows: str) -> list[str]:
    return [one.name for one in _read(rows).ways if one.role is Role.FOUND]


@pytest.mark.parametrize(
    ("rows", "rule", "line", "said"),
    [
        ("al,human,primary,pasword,,,,\n", "method", 2, "`pasword` is no method"),
        ("al,human,primary,password+,,,,\n", "method", 2, "`` is no method"),
        ("al,human,found,password,,,,\n", "missing-key", 2, "`al` has no row of role `primary`"),
        (PRIMARY + "p,human,found,password,,,,\n", "value", 3, "of another kind in line 2"),
        ("al,human,primary,password,foo:bar,,,\n", "value", 2, "`foo:bar` is no root"),
        ("al,human,primary,password,mailbox:,,,\n", "value", 2, "`mailbox:` is no root"),
        (PRIMARY * 2, "duplicate-key", 3, "a second time"),
        (PRIMARY + "p,workload,found,api-key,,,,\n" * 2, "duplicate-key", 4, "a second time"),
    ],
)
def test_a_slip_is_refused_at_its_row(rows: str, rule: str, line: int, said: str) -> None:
    problem = _refused(rows)
    assert (problem.rule, problem.position.line) == (rule, line)
    assert said in problem.fact


def test_a_slip_in_a_method_says_what_was_meant() -> None:
    assert _refused("al,human,primary,pasword,,,,\n").remedy == "Is it `password`?"


def test_what_cannot_be_printed_is_not() -> None:
    assert "\x1b" not in _refused("al,human,primary,a\x1b[2Jb,,,,\n").fact


def test_another_secret_is_another_way_in_wherever_it_stands() -> None:
    old = "p,workload,found,api-key,,2020-01-01,never,\n"
    new = "p,workload,found,api-key,,2026-11-01,never,\n"
    both, turned, one = (_found(PRIMARY + rows) for rows in (old + new, new + old, new))
    assert both == turned[::-1]
    assert len(set(both)) == 2
    assert one == both[1:]
    assert _found(PRIMARY + "p,workload,found,api-key,,2020-01-01,never,Nightly job\n") == [
        _found(PRIMARY + "p,workload,found,vaulted-secret,,,,Nightly job\n")[0]
    ]


def test_an_issuer_vouches_for_a_whole_way() -> None:
    rows = "al,human,primary,passkey-synced,identity-provider:x device:y device:y,,,\n"
    [way] = _read(rows).ways
    assert way.rests_on == {"": ("identity-provider:x",), "passkey-synced": ("device:y",)}


def test_a_way_in_may_rest_on_an_identity() -> None:
    rows = "al,human,primary,password,,,,\np,workload,primary,api-key,identity:al,,,\n"
    [way] = [one for one in _read(rows).ways if one.identity == "p"]
    assert way.rests_on == {"api-key": ("al",)}
    report = of_chart(chart(_read(rows)), NOW)
    assert "unknown-root" not in {one.rule for one in (*report.problems, *report.notes)}
