"""Secrets of our own making."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.issue.generate import TOKEN_PREFIX, new_password, new_token, parse_token, token_hash
from locum.model.refusal import MalformedInput

RANDOM = st.binary(min_size=32, max_size=32)


@given(RANDOM)
def test_a_token_reads_back_as_itself(random: bytes) -> None:
    token = new_token(lambda _: random)
    assert parse_token(token.reveal()) == token


@given(RANDOM, RANDOM)
def test_different_randomness_makes_different_secrets(one: bytes, other: bytes) -> None:
    same = one == other
    assert (new_token(lambda _: one) == new_token(lambda _: other)) is same
    assert (new_password(lambda _: one) == new_password(lambda _: other)) is same


@given(RANDOM)
def test_a_password_is_letters_and_digits_of_one_length(random: bytes) -> None:
    password = new_password(lambda _: random).reveal()
    assert len(password) == 43
    assert password.isascii()
    assert password.isalnum()


@given(RANDOM, st.data())
def test_a_changed_character_is_refused_by_shape(random: bytes, data: st.DataObject) -> None:
    text = new_token(lambda _: random).reveal()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("09AZaz_-+é ").filter(lambda one: one != text[at]))
    with pytest.raises(MalformedInput):
        parse_token(text[:at] + other + text[at + 1 :])


@given(st.text())
def test_any_other_text_is_refused_alike(text: str) -> None:
    for given_text in (text, TOKEN_PREFIX + text):
        with pytest.raises(MalformedInput, match="not a leased token"):
            parse_token(given_text)


@pytest.mark.parametrize("changed", [" {}", "{} ", "{}\n", "{}="])
def test_a_token_in_other_dress_is_refused(changed: str) -> None:
    text = new_token(lambda _: bytes(32)).reveal()
    with pytest.raises(MalformedInput):
        parse_token(changed.format(text))


def test_a_number_past_the_random_bytes_is_refused() -> None:
    from locum.issue import generate

    unchecked = TOKEN_PREFIX + "z" * 43
    with pytest.raises(MalformedInput):
        parse_token(unchecked + generate._checksum(unchecked))


def test_the_hash_of_a_token_is_its_sha256() -> None:
    token = new_token(lambda _: bytes(range(32)))
    assert token_hash(token) == hashlib.sha256(token.reveal().encode()).digest()


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(MalformedInput) as refused:
        parse_token("locum_lt_hunter2")
    assert "hunter2" not in str(refused.value)
