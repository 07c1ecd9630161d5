"""What is planted is found, and nothing else is taken for it; whatever the seed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.analysis.assess import assess_at
from locum.estate.analysis.explained import explain
from locum.estate.analysis.rules import Rule
from locum.estate.generating.generate import generate, score
from locum.estate.graph.columns import Kind
from locum.estate.graph.reading import read_chart
from locum.estate.graph.storing import write_chart

NOW = 29_950_000


@pytest.mark.parametrize("seed", range(4))
def test_recall_and_precision_are_whole(seed: int) -> None:
    made = generate(6_000, seed, NOW)
    scores = score(made.chart, made.truth, assess_at(made.chart, NOW).findings)
    assert set(scores) >= {Rule.SECOND_KEY, Rule.OUTLIVED, Rule.CIRCLE, Rule.APPROVER_ALONE}
    for rule, one in scores.items():
        assert one.planted > 0, rule
        assert (one.recall, one.precision) == (1.0, 1.0), (rule, one)


def test_the_same_seed_gives_the_same_estate() -> None:
    first, second = generate(2_000, 7, NOW), generate(2_000, 7, NOW)
    assert first.chart.graph.body.tolist() == second.chart.graph.body.tolist()
    assert {rule.id: one.tolist() for rule, one in first.truth.items()} == {
        rule.id: one.tolist() for rule, one in second.truth.items()
    }


def test_one_identity_is_explained_as_the_whole_solves_it(tmp_path: Path) -> None:
    made = generate(3_000, 3, NOW)
    write_chart(made.chart, tmp_path)
    chart = read_chart(tmp_path)
    whole = assess_at(chart, NOW)
    people = [one for one in range(chart.graph.vertices) if chart.graph.kind[one] == Kind.IDENTITY]
    for vertex in people[::97]:
        told = explain(chart, chart.names[vertex], NOW).before
        assert told.weakest == int(whole.solved.value[vertex])
        assert len(told.alone) == int(whole.solved.falls.alone[vertex])
        lost = whole.solved.losses.of(vertex)
        assert lost is not None
        assert told.lost_with is not None
        assert set(told.lost_with) == {chart.names[one] for one in lost}


def test_a_seed_below_nothing_is_wrong_usage(tmp_path: Path) -> None:
    words = ["estate", "generate", "--identities", "300", "--seed", "-1", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2, done.output
    assert list(tmp_path.iterdir()) == []
