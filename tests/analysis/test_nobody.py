"""Estates and parts of them in which there is nobody, or no way in, are answered as any other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.analysis.explained import explain
from locum.estate.checking import of_chart
from locum.estate.graph.chart import LOCUM, chart
from locum.estate.graph.lattice import NO_WAY
from locum.estate.graph.storing import write_chart
from locum.estate.graph.ways import minutes
from locum.estate.inventory import Inventory
from locum.estate.opening import charted
from locum.estate.page.data import page_data
from locum.estate.report import as_sarif, as_text
from locum.estate.report_opengraph import as_opengraph
from locum.estate.report_xml import as_graphml, as_junit
from tests.estate.estates import lawful, written

ACME = Path(__file__).parents[2] / "examples" / "acme"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_an_inventory_of_nobody_is_reported_in_every_form(tmp_path: Path) -> None:
    report = of_chart(chart(Inventory()), NOW)
    assert (report.identities, report.paths, report.problems) == (0, 0, ())
    assert as_text(report).startswith("There is nothing in this export: no identity stands in it.")
    assert as_sarif(report)["runs"][0]["results"] == []
    assert 'failures="0"' in as_junit(report)
    assert "locum:authority" in as_graphml(report)
    assert as_opengraph(report, "nobody")["graph"]["edges"] == []
    assert page_data(report, "nobody", "now")["counts"]["identities"] == 0
    write_chart(chart(Inventory()), tmp_path)
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert (done.exit_code, "nothing in this export" in done.output) == (0, True), done.output


def test_an_export_of_nobody_says_that_there_is_nothing(tmp_path: Path) -> None:
    table = tmp_path / "ways.csv"
    table.write_text("identity,kind,role,method\n")
    done = CliRunner().invoke(app, ["import", "csv", str(table)])
    assert (done.exit_code, "nothing in this export" in done.output) == (0, True), done.output


def _disabled(folder: Path) -> Path:
    whole: dict[str, Any] = lawful()
    whole["identities"]["orders-db-admin"]["disabled"] = True
    return written(folder, whole)


def test_a_disabled_identity_is_explained_as_one_that_nobody_enters(tmp_path: Path) -> None:
    file = _disabled(tmp_path)
    found = explain(charted(file), "orders-db-admin", minutes(NOW))
    assert (found.before.weakest, found.before.alone) == (NO_WAY, ())
    done = CliRunner().invoke(app, ["explain", "orders-db-admin", "--estate", str(file)])
    assert "Nothing of this estate leads into orders-db-admin." in done.output
    back = explain(charted(file), "orders-db-admin", minutes(NOW), added=["passkey-device-bound"])
    assert back.after is not None
    assert back.after.weakest != NO_WAY


@pytest.mark.parametrize(
    "root", ["device:alice-laptop", "mailbox:erin@acme.example", "locum:authority"]
)
def test_a_root_is_explained_as_an_identity_is(root: str) -> None:
    done = CliRunner().invoke(app, ["explain", root, "--estate", str(ACME), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["identity"] == root


def test_every_vertex_of_the_example_can_be_explained() -> None:
    drawn = charted(ACME)
    for name in drawn.names:
        assert explain(drawn, name, minutes(NOW), without=[LOCUM]).after is not None
