"""JSON that is read an element at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from locum.estate.importing import json_stream
from locum.estate.importing.export import in_memory
from locum.estate.importing.json_stream import elements, members
from locum.estate.problem import EstateError, Position

DOCUMENT: dict[str, Any] = {
    "before": [{"q": [1, {"z": 2}]}] * 3,
    "in": {"x": [1, 2.5, -3e2, "é\n", {"k": [{}]}, [], None, True], "beside": {"a": {}}},
    "number": 12345,
    "list": [{"i": at} for at in range(5)],
}
X, LIST = ("in", "x"), ("list",)


def _read(data: bytes) -> list[tuple[tuple[str, ...], Position, Any]]:
    return [*elements(in_memory(data, "f"), "it is a test", X, LIST)]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("indent", [None, 2])
def test_every_element_comes_with_its_place(
    block: int, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "BLOCK", block)
    data = json.dumps(DOCUMENT, indent=indent, ensure_ascii=False)
    found = _read(data.encode())
    assert [value for path, _, value in found if path == X] == DOCUMENT["in"]["x"]
    assert [value for path, _, value in found if path == LIST] == DOCUMENT["list"]
    lines = data.split("\n")
    for _, place, value in found:
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        assert json.JSONDecoder().raw_decode(rest)[0] == value


def test_a_document_that_is_cut_off_anywhere_is_refused() -> None:
    data = json.dumps(DOCUMENT, ensure_ascii=False).encode()
    for length in range(len(data)):
        with pytest.raises(EstateError):
            _read(data[:length])
    assert _read(data)


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ('{"list": [],\n "in": {"x": 5}}', "missing-key", 2, 14),
        ('{"list": [],\n "in": {}}', "missing-key", 2, 11),
        ('{"list": [],\n "list": []}', "duplicate-key", 2, 10),
        ('{"list": [{"a": 1,\n "a": 2}]}', "duplicate-key", 1, 11),
        ('{"list": [1\n 2]}', "yaml", 2, 2),
        ('{"list": [], "in": {"x": []}}\n {}', "yaml", 2, 2),
        ('{"list": [], 5: []}', "yaml", 1, 14),
        ('{"list": [NaN]}', "yaml", 1, 11),
        ('{"list": [' + "1" * 5000 + "]}", "bounds", 1, 11),
        ('{"list": [\n' + "[" * 100_000, "bounds", 2, 1),
        ('{"list": ["\\ud83d\\ude00", "\\ud800"]}', "encoding", 1, 27),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, rule: str, line: int, column: int) -> None:
    with pytest.raises(EstateError) as refused:
        _read(text.encode())
    [problem] = refused.value.problems
    assert problem.rule == rule
    assert problem.position == Position("f", line, column)


def test_what_is_no_utf_8_is_refused_with_its_line() -> None:
    with pytest.raises(EstateError) as refused:
        _read(b'{"list": [\n1,\n"\xff"]}')
    [problem] = refused.value.problems
    assert (problem.rule, problem.position.line) == ("encoding", 3)


def test_an_element_that_does_not_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "LARGEST_ELEMENT", 1000)
    monkeypatch.setattr(json_stream, "BLOCK", 100)
    with pytest.raises(EstateError, match="does not end"):
        _read(b'{"list": ["' + b"x" * 10_000)


def test_members_and_what_stands_beside_the_lists() -> None:
    export = in_memory(json.dumps(DOCUMENT).encode(), "f")
    assert {key: value for key, _, value in members(export, "a test")} == DOCUMENT
    found = [*elements(export, "a test", optional=(LIST,), beside=("number",))]
    assert found[0][::2] == (("number",), 12345)
    assert {path for path, _, _ in found[1:]} == {LIST}
    with pytest.raises(EstateError, match="no object; a test"):
        [*members(in_memory(b"[]", "f"), "a test")]
