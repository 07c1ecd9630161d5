"""Containment: what is said to lie within the primary's authority does, whatever is called."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from locum.laws.containment import Contained, Wider, constraint_contains, contains
from locum.model.authority import NOTHING, Authority, Call, permits
from locum.model.constraint import (
    AllOf,
    AnyOf,
    Constraint,
    Exact,
    Glob,
    NotOneOf,
    OneOf,
    PathPrefix,
    Range,
    Scalar,
    Subset,
    allows,
)

NUMBERS = (-1, 0, 1, 2, 3, 0.0, 1.0, 1.5, 2.0, 10**400)
TEXTS = (
    "a",
    "b",
    "ab",
    "",
    "a/b",
    "a/../b",
    "/",
    "/a",
    "/b",
    "/a/",
    "/a/b",
    "/a/b/c",
    "/ab",
    "//a",
)
TEXTS += ("/a//b", "/a/./b", "/a/../b", "/../a", "/a/%2e%2e/b", "/a\\b", "/a/b/../../b", "/b/a/b")
SCALARS: tuple[Scalar, ...] = (*NUMBERS, *TEXTS, True, False, None)
PATTERNS = ("**", "/**", "//**", "/a/**", "/a/./**", "/a//**", "/a/*", "/*", "/a*", "/a/b", "/a/?")
PATTERNS += ("/a/b/**", "/a/b/*", "*", "a*", "a/**", "/a/**/b", "/a**", "?", "/a/../b", "/a/../**")
PREFIXES = ("/", "/a", "/a/", "/a/b", "/b", "/a/../b", "/../a", "a", "//a")

scalars = st.sampled_from(SCALARS)
some = st.lists(scalars, max_size=3).map(tuple)
ends = st.sampled_from((-1, 0, 1, 2, 3, 0.5, 1.0, 2.5))
atoms: st.SearchStrategy[Constraint] = st.one_of(
    st.builds(Exact, scalars),
    st.builds(OneOf, some),
    st.builds(NotOneOf, some),
    st.builds(Range, ends, ends),
    st.builds(PathPrefix, st.sampled_from(PREFIXES)),
    st.builds(Glob, st.sampled_from(PATTERNS)),
    st.builds(Subset, some),
)
constraints: st.SearchStrategy[Constraint] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=4,
)
VALUES: tuple[object, ...] = (*SCALARS, [], *([one] for one in SCALARS), ["a", 1], {}, {"a": 1})
words = st.frozensets(st.sampled_from(("read", "write", "admin")), max_size=2)
arguments = st.dictionaries(st.sampled_from(("limit", "path")), constraints, max_size=2)
authorities = st.builds(
    Authority,
    audiences=words,
    scopes=words,
    resources=st.frozensets(st.sampled_from(PATTERNS), max_size=2),
    environment=st.sampled_from((None, "production", "test")),
    tools=st.dictionaries(st.sampled_from(("query", "drop")), arguments, max_size=2),
)


@settings(max_examples=2_500, deadline=None)
@given(outer=constraints, inner=constraints)
def test_no_value_slips_through_between_a_constraint_and_the_one_that_contains_it(
    outer: Constraint, inner: Constraint
) -> None:
    if constraint_contains(outer, inner):
        slipped = [one for one in VALUES if allows(inner, one) and not allows(outer, one)]
        assert not slipped, f"{slipped} is allowed by {inner} and not by {outer}"


@settings(max_examples=2_000, deadline=None)
@given(patterns=st.tuples(st.text("/a*.", max_size=6), st.text("/a*.?", max_size=6)))
def test_no_text_slips_through_between_two_globs(patterns: tuple[str, str]) -> None:
    outer, inner = (Glob(pattern) for pattern in patterns)
    if constraint_contains(outer, inner):
        for text in (
            *TEXTS,
            "a",
            "aa",
            "aaa",
            "/aa",
            "/a/a",
            "/aa/a",
            "/a/a/a",
            "a/a",
            "/a.",
            "/.a",
        ):
            assert allows(outer, text) or not allows(inner, text), text


def calls(authority: Authority, values: st.SearchStrategy[object]) -> st.SearchStrategy[Call]:
    """Calls that name just the arguments of one tool, or one argument too many or too few."""
    tool = st.sampled_from((*authority.tools, "query"))
    names = sorted({name for named in authority.tools.values() for name in named})
    given_names = st.sampled_from([*(sorted(one) for one in authority.tools.values()), names, []])
    return st.builds(
        Call,
        audience=st.sampled_from((None, "read", "admin")),
        scope=st.sampled_from((None, "write", "admin")),
        resource=st.sampled_from((None, *TEXTS)),
        environment=st.sampled_from((None, "production", "test")),
        tool=st.none() | tool,
        arguments=given_names.flatmap(
            lambda keys: st.fixed_dictionaries(dict.fromkeys(keys, values))
        ),
    )


@settings(max_examples=2_000, deadline=None)
@given(data=st.data(), outer=authorities, inner=authorities, nested=st.booleans())
def test_no_call_is_allowed_by_a_contained_fallback_and_refused_by_its_primary(
    data: st.DataObject, outer: Authority, inner: Authority, nested: bool
) -> None:
    if nested:  # the half of the cases in which containment is likely
        outer = Authority(
            outer.audiences | inner.audiences,
            outer.scopes | inner.scopes,
            outer.resources | inner.resources,
            inner.environment or outer.environment,
            {**outer.tools, **inner.tools},
        )
    verdict = contains(outer, inner)
    if isinstance(verdict, Contained):
        call = data.draw(calls(inner, st.sampled_from(VALUES)))
        assert permits(outer, call) or not permits(inner, call), f"{call} slips through"
    else:
        assert verdict.fact


@settings(max_examples=2_000, deadline=None)
@given(outer=authorities, inner=authorities)
def test_an_example_is_allowed_by_the_fallback_and_refused_by_the_primary(
    outer: Authority, inner: Authority
) -> None:
    verdict = contains(outer, inner)
    assume(isinstance(verdict, Wider) and verdict.example is not None)
    assert isinstance(verdict, Wider)
    assert verdict.example is not None
    assert permits(inner, verdict.example), f"{verdict.example} is not allowed by the fallback"
    assert not permits(outer, verdict.example), f"{verdict.example} is allowed by the primary"


@settings(max_examples=500, deadline=None)
@given(authorities)
def test_every_authority_contains_itself_and_nothing(authority: Authority) -> None:
    named = [one for tool in authority.tools.values() for one in tool.values()]
    assume(not any("prefix='/../a'" in str(one) or "prefix='a'" in str(one) for one in named))
    assert isinstance(contains(authority, authority), Contained)
    assert isinstance(contains(authority, NOTHING), Contained)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (Range(1, 100), Range(1, 100)),
        (Range(1, 100), Exact(100)),
        (Range(1, 100), OneOf((1, 2.5))),
        (Range(1, 100), Range(3, 2)),
        (OneOf(("a", "b")), Exact("a")),
        (NotOneOf(("a",)), NotOneOf(("a", "b"))),
        (NotOneOf(("a",)), Range(1, 2)),
        (PathPrefix("/a"), PathPrefix("/a/b")),
        (PathPrefix("/a"), Glob("/a/*/c")),
        (Glob("/a/**"), PathPrefix("/a/b")),
        (Glob("/a/**"), Glob("/a/b/*")),
        (Glob("/a/*"), Exact("/a/b")),
        (Subset(("a", "b")), Subset(("a",))),
        (AnyOf((Exact(1), Exact(2))), OneOf((1, 2))),
        (Range(1, 9), AllOf((Range(0, 5), Range(2, 8), Range(3, 4)))),
        (AllOf((Range(1, 9), NotOneOf((7,)))), Range(1, 6)),
    ],
    ids=str,
)
def test_what_plainly_lies_within_is_contained(outer: Constraint, inner: Constraint) -> None:
    assert constraint_contains(outer, inner)


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (Range(1, 100), Range(1, 101)),
        (Range(1, 100), Exact(True)),
        (Exact(1), Exact(1.0)),
        (Exact(1), Exact(True)),
        (OneOf(("a",)), NotOneOf(("b",))),
        (NotOneOf(("a", "b")), NotOneOf(("a",))),
        (NotOneOf((7,)), Range(1, 9)),
        (PathPrefix("/a"), PathPrefix("/ab")),
        (PathPrefix("/a"), PathPrefix("/a/../b")),
        (PathPrefix("/a"), Glob("/a*")),
        (Glob("/a/**"), PathPrefix("/a")),
        (Glob("/a/*"), Glob("/a/**")),
        (Glob("/a/./**"), PathPrefix("/a/b")),
        (Glob("//**"), PathPrefix("/a")),
        (Subset(("a",)), Subset(("a", "b"))),
        (Subset(("a",)), Exact("a")),
        (AllOf((Range(1, 9), NotOneOf((7,)))), Range(1, 9)),
    ],
    ids=str,
)
def test_what_reaches_further_is_not_contained(outer: Constraint, inner: Constraint) -> None:
    assert not constraint_contains(outer, inner)


def test_the_example_of_a_tool_that_the_primary_lacks_can_really_be_called() -> None:
    inner = Authority(
        tools={"drop": {"name": NotOneOf(("x",)), "n": AllOf((Range(1, 9), Exact(2)))}}
    )
    verdict = contains(NOTHING, inner)
    assert isinstance(verdict, Wider)
    assert verdict.example is not None
    assert permits(inner, verdict.example)


def test_a_tool_that_names_fewer_arguments_is_not_contained() -> None:
    two = Authority(tools={"query": {"limit": Range(1, 9), "path": PathPrefix("/a")}})
    one = Authority(tools={"query": {"limit": Range(1, 9)}})
    for outer, inner in ((two, one), (one, two)):
        assert isinstance(contains(outer, inner), Wider)
