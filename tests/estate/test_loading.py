from __future__ import annotations

import os
from pathlib import Path

import pytest

from locum.estate.checking import check
from locum.estate.loading import load, load_lawful
from locum.estate.problem import EstateError, Problem
from tests.estate.estates import NOW, lawful, path_with, problems_of, written


def refused(source: Path) -> tuple[Problem, ...]:
    with pytest.raises(EstateError) as caught:
        load(source)
    return caught.value.problems


def folder_of(folder: Path) -> Path:
    """The lawful estate in three files."""
    whole = lawful()
    written(folder, {"version": 1, "groups": whole["groups"]}, "groups.yaml")
    written(folder, {"version": 1, "databases": whole["databases"]}, "databases.yml")
    written(folder, {"version": 1, "identities": whole["identities"]}, "identities.yaml")
    return folder


def test_a_folder_is_the_same_estate_as_one_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    one = load(written(tmp_path, lawful())).estate
    assert load(folder_of(tmp_path / "folder")).estate == one


def test_a_name_in_two_files_is_refused_with_both_places(tmp_path: Path) -> None:
    folder_of(tmp_path)
    written(tmp_path, "version: 1\ngroups:\n  sre-leads: [alice]\n", "more.yaml")
    [problem] = refused(tmp_path)
    assert problem.rule == "duplicate-key"
    assert str(problem.position) == f"{tmp_path}/more.yaml:3:3"
    assert problem.related is not None
    assert problem.related.file == f"{tmp_path}/groups.yaml"


def test_the_problems_of_every_file_are_found(tmp_path: Path) -> None:
    folder_of(tmp_path)
    written(tmp_path, "version: 2\n", "a.yaml")
    written(tmp_path, "version: [", "b.yaml")
    assert [Path(problem.position.file).name for problem in refused(tmp_path)] == [
        "a.yaml",
        "b.yaml",
    ]


def test_hidden_and_other_files_are_not_read(tmp_path: Path) -> None:
    folder_of(tmp_path)
    written(tmp_path, "[", ".hidden.yaml")
    written(tmp_path, "[", "notes.txt")
    (tmp_path / "more.yaml.d").mkdir()
    load(tmp_path)


@pytest.mark.parametrize(
    "kind", ["absent", "empty folder", "pipe", "folder named as a file", "nul"]
)
def test_what_cannot_be_read_says_so(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "estate.yaml"
    if kind == "empty folder":
        source.mkdir()
    elif kind == "pipe":
        os.mkfifo(source)
    elif kind == "folder named as a file":
        source.mkdir()
        (source / "a.yaml").mkdir()
    elif kind == "nul":
        source = tmp_path / "a\0b.yaml"
    [problem] = refused(source)
    assert problem.rule == "unreadable"


def test_a_broken_law_is_shown_at_its_field(tmp_path: Path) -> None:
    text = """\
version: 1
groups: {administrators: [alice]}
identities:
  alice:
    kind: human
    owner: alice@example.com
    primary: {method: passkey-device-bound}
    fallbacks:
      codes:
        method: saved-recovery-code
        causes: [lost]
        limits:
          ttl: 48h
        review: {by: administrators}
        owner: alice@example.com
        reason: codes on paper
        until: 2027-06-30
"""
    report = check(written(tmp_path, text), NOW)
    places = [
        (one.rule, one.position.line, one.position.column)
        for one in report.problems
        if one.rule.startswith("law-")
    ]
    assert ("law-1", 10, 9) in places
    assert ("law-3", 13, 11) in places
    assert ("law-6", 14, 18) in places
    assert places == sorted(places, key=lambda one: one[1:])
    assert all(one.subject == "alice/codes" for one in report.problems)


def test_an_estate_that_breaks_a_law_is_not_put_in_force(tmp_path: Path) -> None:
    source = written(tmp_path, path_with(limits={"ttl": "48h"}))
    assert load(source).estate
    with pytest.raises(EstateError) as caught:
        load_lawful(source, NOW)
    assert [problem.rule for problem in caught.value.problems] == ["law-3"]


def test_a_warning_does_not_keep_an_estate_from_being_put_in_force(tmp_path: Path) -> None:
    source = written(tmp_path, path_with(until="2026-06-30"))
    assert check(source, NOW).problems[0].severity == "warning"
    assert load_lawful(source, NOW).estate


def test_a_fingerprint_stays_when_lines_move(tmp_path: Path) -> None:
    whole = written(tmp_path, path_with(cause=1, review={"by": "nobody"})).read_text()
    twice = whole.replace('"version": 1,', '"version": 1,\n\n\n "version": 1,')
    first, moved = problems_of(tmp_path, whole), problems_of(tmp_path, "\n\n# moved\n" + whole)
    assert [one.fingerprint for one in first] == [one.fingerprint for one in moved]
    assert first[0].position != moved[0].position
    [early] = problems_of(tmp_path, twice)
    [late] = problems_of(tmp_path, "\n\n" + twice)
    assert early.fingerprint == late.fingerprint
    assert len({one.fingerprint for one in first}) == len(first)
