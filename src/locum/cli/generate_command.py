"""`locum estate generate`: an estate made up for tests and measurements."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from locum.cli.output import OK, console, errors_explained
from locum.estate.generating.generate import generate
from locum.estate.graph.storing import write_chart
from locum.estate.graph.ways import minutes


def generate_estate(
    out: Annotated[Path, typer.Option("--out", help="The folder to store it in, as Parquet.")],
    identities: Annotated[int, typer.Option("--identities", min=300, help="About how many.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed, the same estate.")] = 1,
) -> None:
    """Make up an estate with planted faults; truth.json says where they are."""
    with errors_explained():
        made = generate(identities, seed, minutes(datetime.now(UTC)))
        write_chart(made.chart, out)
        truth = {
            rule.id: [made.chart.names[one] for one in planted.tolist()]
            for rule, planted in made.truth.items()
        }
        (out / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    graph = made.chart.graph
    console.print(
        f"{out}: {graph.vertices:,} vertices, {graph.arcs:,} arcs. Look at it: locum check {out}"
    )
    raise typer.Exit(OK)
