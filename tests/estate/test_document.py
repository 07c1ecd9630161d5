from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from locum.estate.document import DEEPEST, LARGEST, MOST_NODES, Document, read_document
from locum.estate.loading import load
from locum.estate.problem import EstateError, Position, Problem


def read(text: str | bytes) -> Document:
    return read_document(text.encode() if isinstance(text, str) else text, "estate.yaml")


def refused(text: str | bytes) -> Problem:
    with pytest.raises(EstateError) as caught:
        read(text)
    [problem] = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("2027-06-30", "2027-06-30"),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ('"true"', "true"),
        ("1:30", "1:30"),
        ("20m", "20m"),
        ("|-\n  a\n  b", "a\nb"),
    ],
)
def test_a_plain_scalar_is_what_the_core_schema_says(text: str, value: Any) -> None:
    found = read(f"a: {text}\n").value["a"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        "010",
        "0x1F",
        "0o17",
        ".inf",
        "-.INF",
        ".nan",
        "5.",
        ".5",
        "1e999",
        "1" * 19,
        "00",
        "1.0e999",
    ],
)
def test_a_number_that_can_be_read_in_two_ways_is_refused(text: str) -> None:
    assert refused(f"a: {text}\n").rule == "number"
    assert read(f"a: '{text}'\n").value == {"a": text}


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("a: 1\na: 2\n", "duplicate-key", 2, 1),
        ("a:\n  - {b: 1, b: 2}\n", "duplicate-key", 2, 12),
        ("1: x\n'1': y\n", "duplicate-key", 2, 1),
        ("a: &x 1\n", "anchor", 1, 4),
        ("&x a: 1\n", "anchor", 1, 1),
        ("a: *x\n", "anchor", 1, 4),
        ("*x : 1\n", "anchor", 1, 1),
        ("a: &x {b: *x}\n", "anchor", 1, 4),
        ("<<: *x\n", "anchor", 1, 5),
        ("a: !!str 1\n", "tag", 1, 4),
        ("a: ! 1\n", "tag", 1, 4),
        ("!t a: 1\n", "tag", 1, 1),
        ("a: !!python/object/apply:os.system [x]\n", "tag", 1, 4),
        ("? [a]\n: 1\n", "key", 1, 3),
        ("? {a: 1}\n: 1\n", "key", 1, 3),
        ("%YAML 1.1\n---\na: 1\n", "directive", 2, 1),
        ("%TAG ! tag:example.com,2000:\n---\na: 1\n", "directive", 2, 1),
        ("a: 1\n---\nb: 1\n", "documents", 2, 1),
        ("a: 1\n...\nb: 1\n", "documents", 3, 1),
        ("", "empty", 1, 1),
        ("# nothing\n", "empty", 1, 1),
        ("---\n", "empty", 1, 1),
        ("a:\n\tb: 1\n", "yaml", 2, 1),
        ("a: 'never closed\n", "yaml", 2, 1),
        ("a: [1\n", "yaml", 2, 1),
        ("a: b: c\n", "yaml", 1, 5),
        ("a: 1\nb: x\x00y\n", "character", 2, 5),
        ("a: x\u202ey # \n", "character", 1, 5),
        ("# \u2066 a comment\na: 1\n", "character", 1, 3),
        ('a: "\\e[2J"\n', "character", 1, 4),
        ('a: "\\ud800"\n', "character", 1, 4),
        ('"a\\u202e": 1\n', "character", 1, 1),
    ],
)
def test_what_could_surprise_is_refused_at_its_place(
    text: str, rule: str, line: int, column: int
) -> None:
    problem = refused(text)
    assert (problem.rule, problem.position) == (rule, Position("estate.yaml", line, column))


def test_a_duplicate_key_names_the_first_one() -> None:
    assert refused("a: 1\nb: 2\na: 3\n").related == Position("estate.yaml", 1, 1)


def test_text_that_is_not_utf_8_is_refused_at_its_place() -> None:
    problem = refused(b"version: 1\nowner: J\xfcrgen\n")
    assert (problem.rule, str(problem.position)) == ("encoding", "estate.yaml:2:9")
    assert refused("version: 1\n".encode("utf-16")).rule == "encoding"


def test_a_byte_order_mark_at_the_start_is_passed_over() -> None:
    document = read(b"\xef\xbb\xbfversion: 1\n")
    assert document.value == {"version": 1}
    assert str(document.positions[("version",)]) == "estate.yaml:1:1"


def test_every_key_and_item_has_its_position() -> None:
    document = read("a:\n  b: [x, yy, {c: 1}]\n")
    assert {place: (at.line, at.column) for place, at in document.positions.items()} == {
        (): (1, 1),
        ("a",): (1, 1),
        ("a", "b"): (2, 3),
        ("a", "b", 0): (2, 7),
        ("a", "b", 1): (2, 10),
        ("a", "b", 2): (2, 14),
        ("a", "b", 2, "c"): (2, 15),
    }


def test_a_thousand_laughs_are_refused_at_the_first_anchor() -> None:
    lines = ["a0: &a0 lol"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert refused("\n".join(lines)).rule == "anchor"


def test_depth_is_bounded_however_it_is_written() -> None:
    assert refused("[" * 100_000).rule == "bounds"
    assert refused("- " * (DEEPEST + 2) + "x\n").rule == "bounds"
    assert refused("".join(f"{' ' * n}a:\n" for n in range(DEEPEST + 3))).rule == "bounds"


def test_the_number_of_values_is_bounded() -> None:
    assert refused("[" + ",".join(["a"] * (MOST_NODES + 1)) + "]").rule == "bounds"


def test_size_is_bounded_before_anything_is_read(tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    with file.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    with pytest.raises(EstateError) as caught:
        load(file)
    assert caught.value.problems[0].rule == "file-size"
