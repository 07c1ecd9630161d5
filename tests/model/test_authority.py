"""An authority allows what it names; what is absent is nothing, never everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.model.authority import NOTHING, Authority, Call, permits
from locum.model.constraint import PathPrefix, Range

AUTHORITY = Authority(
    audiences=frozenset({"orders"}),
    scopes=frozenset({"read"}),
    resources=frozenset({"/data/**"}),
    environment="production",
    tools={"query": {"limit": Range(1, 100), "path": PathPrefix("/reports")}},
)
GOOD = {"limit": 100, "path": "/reports/may"}


@pytest.mark.parametrize(
    "call",
    [
        Call(),
        Call(audience="orders"),
        Call(scope="read"),
        Call(resource="/data/x/y"),
        Call(environment="production"),
        Call(tool="query", arguments=GOOD),
        Call("orders", "read", "/data//x", "production", "query", GOOD),
    ],
    ids=str,
)
def test_what_is_named_is_allowed(call: Call) -> None:
    assert permits(AUTHORITY, call)


@pytest.mark.parametrize(
    "call",
    [
        Call(audience="payments"),
        Call(audience="Orders"),
        Call(scope=""),
        Call(resource="/data"),
        Call(resource="/data/../etc/passwd"),
        Call(resource="/data/%2e%2e/etc"),
        Call(environment="test"),
        Call(tool="drop"),
        Call(tool="query"),
        Call(tool="query", arguments={"limit": 1}),
        Call(tool="query", arguments={**GOOD, "all": True}),
        Call(tool="query", arguments={**GOOD, "limit": 101}),
        Call(tool="query", arguments={**GOOD, "limit": True}),
        Call(tool="query", arguments={**GOOD, "path": "/reports/../etc"}),
    ],
    ids=str,
)
def test_what_is_not_named_is_refused(call: Call) -> None:
    assert not permits(AUTHORITY, call)


@given(
    st.builds(
        Call,
        st.none() | st.text(),
        st.none() | st.text(),
        st.none() | st.text(),
        st.none() | st.text(),
        st.none() | st.text(),
    )
)
def test_an_authority_for_nothing_allows_no_call_that_names_something(call: Call) -> None:
    assert permits(NOTHING, call) == (call == Call())


def test_one_part_that_is_refused_refuses_the_call() -> None:
    good = {"audience": "orders", "scope": "read", "resource": "/data/x", "tool": "query"}
    for part in good:
        assert not permits(AUTHORITY, Call(**{**good, part: "other"}, arguments=GOOD))  # type: ignore[arg-type]


def test_a_call_reads_as_a_person_would_write_it() -> None:
    assert str(Call()) == "the empty call"
    assert str(Call(scope="read")) == "scope = 'read'"
    assert str(Call(tool="query", arguments={"limit": 101})) == "query(limit = 101)"
