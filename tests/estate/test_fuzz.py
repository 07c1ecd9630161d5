"""Whatever stands in a file, it is an estate or it is refused; nothing else is ever raised."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locum.estate.checking import check
from locum.estate.loading import load
from locum.estate.problem import EstateError
from locum.estate.report import as_json, as_sarif, as_text
from tests.estate.estates import NOW, lawful

_WORDS = [
    "version", "identities", "groups", "fallbacks", "a", "1", "1.0", "~", ": ", ":", "- ", "-",
    "?", "[", "]", "{", "}", ",", "&a ", "*a", "!", "!!str ", "|", ">", "%", "@", "`", "#", "'",
    '"', "\\", "\n", "\n  ", "\n    ", "\t", "\r", "---\n", "...\n", "<<", "\ufeff", "\x85", "é",
    "😀", "\x00",
]  # fmt: skip
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([
        "20m", "2027-06-30", "9999-12-31", "alice", "sre-leads", "orders-db", "until", "network:",
        "vaulted-secret", "https://[", "a:1", "PATH", "static", "outage", "kerberos",
    ])
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["until", "range"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "estate.yaml"


def loaded_or_refused(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    report = check(file, NOW)
    if report.identities == 0:
        with pytest.raises(EstateError):
            load(file)
    lines = data.decode(errors="replace").count("\n") + data.count(b"\r") + 1
    for problem in report.problems:
        assert 1 <= problem.position.line <= lines + 1
        assert problem.position.column >= 1
        assert problem.fact
        assert problem.remedy
    for text in (as_text(report), json.dumps(as_json(report)), json.dumps(as_sarif(report))):
        assert text.encode()


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_an_estate_or_refused(file: Path, data: bytes) -> None:
    loaded_or_refused(file, data)


@given(st.lists(st.sampled_from(_WORDS), max_size=40).map("".join))
@settings(max_examples=600, deadline=None)
def test_arbitrary_yaml_is_an_estate_or_refused(file: Path, text: str) -> None:
    loaded_or_refused(file, text.encode())


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [here, *(place for key, one in inner for place in places(one, (*here, key)))]


@given(st.data())
@settings(max_examples=600, deadline=None)
def test_an_estate_with_anything_anywhere_is_an_estate_or_refused(
    file: Path, data: st.DataObject
) -> None:
    whole = lawful()
    for place in data.draw(st.lists(st.sampled_from(places(whole)[1:]), min_size=1, max_size=3)):
        inner: Any = whole
        try:
            for step in place[:-1]:
                inner = inner[step]
            inner[place[-1]] = data.draw(_VALUES)
        except (KeyError, IndexError, TypeError):
            continue
    loaded_or_refused(file, json.dumps(whole).encode())


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_file_cut_or_broken_anywhere_is_an_estate_or_refused(
    file: Path, data: st.DataObject
) -> None:
    whole = bytearray(json.dumps(lawful(), indent=1).encode())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    loaded_or_refused(file, bytes(whole[: data.draw(st.integers(at + 1, len(whole)))]))
