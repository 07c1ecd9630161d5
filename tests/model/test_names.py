"""A name has one spelling, so a lockout or an approval is not escaped by another."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.model.names import NAME_PATTERN, PathName, is_name


@pytest.mark.parametrize("name", ["a", "7", "orders-db", "a.b_c-d", "x" * 63, "a--b"])
def test_a_plain_name_is_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "Alice", "ALICE", "-a", "a-", ".a", "a.", "_a", "x" * 64, "a b", " a", "a ", "a\n"),
        *("a/b", "älice", "\u0430lice", "a\u200b", "a\x00", "ﬁ", "²", "a%41", "..", "ı"),
    ],
)
def test_what_could_be_taken_for_another_name_is_none(name: str) -> None:
    assert not is_name(name)


@given(st.text(max_size=70) | st.text("aZ0-._", max_size=70))
def test_the_published_pattern_and_the_rule_agree(text: str) -> None:
    assert is_name(text) == (re.fullmatch(NAME_PATTERN, text) is not None)


@given(st.text("ab0-", min_size=1, max_size=9), st.text("ab0-", min_size=1, max_size=9))
def test_a_path_name_reads_back_as_it_is_written(identity: str, path: str) -> None:
    if is_name(identity) and is_name(path):
        assert str(PathName.parse(f"{identity}/{path}")) == f"{identity}/{path}"


@pytest.mark.parametrize("text", ["", "a", "/", "a/", "/a", "a/b/c", "A/b", "a/B", "a//b", "a/b "])
def test_what_is_not_two_names_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="identity/path"):
        PathName.parse(text)
