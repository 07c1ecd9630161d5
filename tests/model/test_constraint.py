"""What each constraint allows: type and value together, and paths only after they are normal."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Subset,
    allows,
    glob_fits,
    normal_path,
    normal_text,
)

CLIMBING = ("/data/../etc/passwd", "/data/x/../../etc", "/..", "/../data", "/data/./../etc")
HIDING = ("/data/%2e%2e/etc", "/data/%2E./x", "/data%2fx", "/data/%5c..", "/data\\..\\etc")
HIDING += ("/data/\x00x", "/data/x\n", "/data/%252e%252e/x", "/data/%00", "/data/\x7f")


def test_true_is_not_one_and_one_is_not_one_point_nought() -> None:
    alike: tuple[object, ...] = (1, True, 1.0, "1")
    for wanted in alike:
        for given_value in alike:
            same = type(wanted) is type(given_value)
            for constraint in (Exact(wanted), OneOf((wanted,)), AnyOf((Exact(wanted),))):  # type: ignore[arg-type]
                assert allows(constraint, given_value) == same
            assert allows(NotOneOf((wanted,)), given_value) != same  # type: ignore[arg-type]
            assert allows(Subset((wanted,)), [given_value]) == same  # type: ignore[arg-type]


def test_a_range_holds_numbers_only_and_both_its_ends() -> None:
    assert [one for one in (0, 1, 1.5, 2, 2.1) if allows(Range(1, 2), one)] == [1, 1.5, 2]
    for odd in (True, "1", None, [1], math.nan, math.inf, -math.inf, 10**400):
        assert not allows(Range(1, 2), odd)


@pytest.mark.parametrize("value", CLIMBING + HIDING)
def test_a_path_that_climbs_or_hides_is_not_below_anything(value: str) -> None:
    assert not allows(PathPrefix("/data"), value)
    assert not allows(Glob("/data/**"), value)


@pytest.mark.parametrize("value", [*HIDING, "../x", "a/../b", ".."])
def test_a_text_that_hides_or_climbs_fits_no_glob(value: str) -> None:
    assert normal_text(value) is None
    assert not allows(Glob("**"), value)


def test_a_prefix_ends_at_a_segments_border() -> None:
    for value in ("/data", "/data/", "/data/x", "//data/x", "/data/x/../y", "/x/../data"):
        assert allows(PathPrefix("/data"), value)
    for value in ("/database", "/dat", "/", "data", "", 7, None):
        assert not allows(PathPrefix("/data"), value)
    assert allows(PathPrefix("/"), "/anything/at/all")


def test_a_glob_keeps_to_its_segment() -> None:
    assert glob_fits("/a/*", "/a/b")
    assert not glob_fits("/a/*", "/a/b/c")
    assert glob_fits("/a/**", "/a/b/c")
    assert glob_fits("/a/?", "/a/b")
    assert not glob_fits("/a?b", "/a/b")
    assert not glob_fits("a.c", "abc")


def test_a_list_is_a_subset_and_nothing_else_is() -> None:
    assert allows(Subset(("a", "b")), [])
    assert allows(Subset(("a", "b")), ["b", "b"])
    for odd in ("a", None, ["c"], ["a", "c"], ("a",), {"a": 1}):
        assert not allows(Subset(("a", "b")), odd)


def test_all_of_nothing_holds_and_any_of_nothing_does_not() -> None:
    assert allows(AllOf(()), "x")
    assert not allows(AnyOf(()), "x")


def test_not_one_of_still_wants_a_single_value() -> None:
    assert allows(NotOneOf(("a",)), "b")
    for odd in (["b"], {"b": 1}, math.nan):
        assert not allows(NotOneOf(("a",)), odd)


@pytest.mark.parametrize(
    "pattern", ["**?" * 20 + "b", "*a" * 30 + "b", "**" * 30 + "b", "**a*" * 15]
)
def test_a_hostile_glob_is_answered_in_time_that_grows_with_the_text_alone(pattern: str) -> None:
    assert not glob_fits(pattern, "a" * 20_000 + "/c")


def slow_fit(pattern: str, text: str) -> bool:
    """The meaning of a glob, said by recursion."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        return any(slow_fit(pattern[2:], text[at:]) for at in range(len(text) + 1))
    if pattern[0] == "*":
        end = text.find("/")
        last = len(text) if end < 0 else end
        return any(slow_fit(pattern[1:], text[at:]) for at in range(last + 1))
    if not text or (text[0] == "/" if pattern[0] == "?" else text[0] != pattern[0]):
        return False
    return slow_fit(pattern[1:], text[1:])


@given(st.text("a/*?", max_size=7), st.text("a/", max_size=7))
def test_a_glob_means_what_it_says(pattern: str, text: str) -> None:
    assert glob_fits(pattern, text) == slow_fit(pattern, text)


@given(st.text("a./%\\2e", max_size=12).map("/".__add__))
def test_a_normal_path_stays_as_it_is(text: str) -> None:
    normal = normal_path(text)
    if normal is not None:
        assert normal_path(normal) == normal
        assert not {"..", "."} & set(normal.split("/"))
        assert "//" not in normal


def test_a_constraint_outside_the_vocabulary_is_not_read() -> None:
    for said in (b'{"kind":"regex","pattern":".*"}', b'{"kind":"Exact","value":1}', b"{}", b"null"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(said, type=Constraint)
