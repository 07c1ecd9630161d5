"""A secret shows itself to `reveal()` and to nothing else."""

from __future__ import annotations

import copy
import pickle
import traceback
from string import Template

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.model.secret import Secret

HIDDEN = "correct-horse-battery"
SECRET = Secret(HIDDEN)


class Holder(msgspec.Struct, frozen=True):
    """A value that holds a secret, as a log or an error may show one."""

    secret: Secret


def test_a_secret_never_shows_in_text() -> None:
    shown = (repr(SECRET), str(SECRET), format(SECRET, ">40"), f"{SECRET}", f"{SECRET!r:>9}")
    shown += (Template("$secret").substitute(secret=SECRET), f"{SECRET} {SECRET!s}", repr([SECRET]))
    shown += (repr(Holder(SECRET)), repr({"password": SECRET}), str(ValueError(SECRET)))
    for text in shown:
        assert HIDDEN not in text
        assert "Secret(" in text


@pytest.mark.parametrize("encoder", [msgspec.json, msgspec.msgpack])
def test_a_secret_is_not_encoded(encoder: object) -> None:
    for value in (SECRET, [SECRET], {"a": SECRET}, Holder(SECRET)):
        with pytest.raises(TypeError) as said:
            encoder.encode(value)  # type: ignore[attr-defined]
        assert HIDDEN not in "".join(traceback.format_exception(said.value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError) as said:
        pickle.dumps(SECRET, protocol)
    assert HIDDEN not in str(said.value)


def test_a_secret_is_not_copied_nor_looked_into() -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(SECRET)
    with pytest.raises(TypeError):
        vars(SECRET)
    with pytest.raises(AttributeError):
        _ = SECRET.value  # type: ignore[attr-defined]


def test_a_hash_says_nothing_about_the_secret() -> None:
    assert hash(SECRET) == hash(Secret("another"))


@given(st.text(), st.text())
def test_secrets_are_equal_just_where_what_they_hold_is(one: str, other: str) -> None:
    assert Secret(one).reveal() == one
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one) != one
