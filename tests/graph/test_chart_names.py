"""No inventory, whoever wrote it, draws two things as one vertex."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.graph.chart import chart
from locum.estate.inventory import Holder, Inventory, Role, Root, Way
from locum.estate.problem import EstateError, Position
from locum.model.estate import Kind

ALICE = Holder("alice", Kind.HUMAN, Position("a.csv", 2, 1))


def way(name: str, line: int, role: Role = Role.FOUND) -> Way:
    return Way(name, "alice", role, ("password",), Position("a.csv", line, 1))


@pytest.mark.parametrize(
    ("holders", "ways", "fact", "lines"),
    [
        ((ALICE, Holder("alice", Kind.HUMAN, Position("a.csv", 9, 1))), (),
         "The identity `alice` stands here a second time.", (2, 9)),
        ((ALICE,), (way("alice", 2, Role.PRIMARY), way("alice", 5, Role.PRIMARY)),
         "The primary of `alice` stands here a second time.", (2, 5)),
        ((ALICE,), (way("alice", 2, Role.PRIMARY), way("alice-2", 5, Role.PRIMARY)),
         "The primary of `alice` stands here a second time.", (2, 5)),
        ((ALICE,), (way("alice/key", 3), way("alice/key", 4)),
         "The way in `alice/key` stands here a second time.", (3, 4)),
        ((ALICE,), (way("alice/key", 3, Role.DECLARED), way("alice/key", 4)),
         "The way in `alice/key` stands here a second time.", (3, 4)),
    ],
)  # fmt: skip
def test_one_name_for_two_is_refused_with_both_places(
    holders: tuple[Holder, ...], ways: tuple[Way, ...], fact: str, lines: tuple[int, int]
) -> None:
    with pytest.raises(EstateError) as caught:
        chart(Inventory(holders, ways))
    [problem] = caught.value.problems
    assert (problem.rule, problem.fact) == ("duplicate-key", fact)
    assert problem.related is not None
    assert (problem.related.line, problem.position.line) == lines


def test_a_root_may_be_named_by_everybody_who_knows_of_it() -> None:
    root = Root("mailbox:alice@example.com", Position("a.csv", 3, 1))
    assert "mailbox:alice@example.com" in chart(Inventory((ALICE,), (), (root, root))).names


def test_an_export_that_was_written_twice_is_not_told_line_by_line() -> None:
    ways = tuple(way(f"alice/key-{at}", at) for at in range(1000))
    with pytest.raises(EstateError) as caught:
        chart(Inventory((ALICE,), (*ways, *ways)))
    assert len(caught.value.problems) == 100


def test_a_table_with_two_primaries_of_one_identity_is_no_stack_trace(tmp_path: Path) -> None:
    table = tmp_path / "ways.csv"
    row = "alice,human,primary,password\n"
    table.write_text(f"identity,kind,role,method\n{row}{row}")
    done = CliRunner().invoke(app, ["import", "csv", str(table)])
    assert done.exit_code == 2, done.output
    assert f"{table}:3" in done.output
    assert f"The first is at {table}:2" in done.output
