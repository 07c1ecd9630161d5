"""What others wrote is shown on a terminal, and steers none."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from locum.cli.main import app
from locum.cli.output import console, errors, fail, printable, table
from locum.estate.graph.chart import chart
from locum.estate.graph.storing import write_chart
from locum.estate.inventory import Holder, Inventory, Role, Way
from locum.estate.problem import EstateError, Position, Problem
from locum.model.estate import Kind
from locum.model.refusal import Breach, Law, LocumError, MalformedInput, RefusedError

HOSTILE = "a\x1b[2J\x1b]0;pwn\x07\u202e\x9bB\udc80\rz"
SHOWN = r"a\x1b[2J\x1b]0;pwn\x07\u202e\x9bB\udc80\rz"


def test_what_steers_is_written_out_and_what_does_not_stays() -> None:
    assert printable(HOSTILE) == SHOWN
    assert printable("Müller\t[bold]é 日本 …\n") == "Müller\t[bold]é 日本 …\n"


@pytest.mark.parametrize(
    "error",
    [
        MalformedInput(HOSTILE, HOSTILE),
        EstateError((Problem(Position(HOSTILE, 1, 1), "yaml", HOSTILE, "", HOSTILE, HOSTILE),)),
        RefusedError((Breach(Law.NO_WEAKER, HOSTILE, HOSTILE),)),
    ],
    ids=["input", "estate", "refused"],
)
def test_errors_steer_no_terminal(error: LocumError, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        fail(error)
    assert SHOWN in capsys.readouterr().err


def test_words_and_tables_steer_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console.print(HOSTILE, markup=False)
    errors.print(f"[red]{HOSTILE}[/red]")
    table(["name"], [[HOSTILE]])
    said = capsys.readouterr()
    assert said.out.count(SHOWN) == 2
    assert said.err == SHOWN + "\n"


def test_findings_steer_no_terminal(tmp_path: Path) -> None:
    place = Position(HOSTILE.replace("\udc80", ""), 1, 1)
    name = HOSTILE.replace("\udc80", "")
    way = Way(name, name, Role.PRIMARY, ("password",), place, {"": ("mailbox:\x1bx",)})
    write_chart(chart(Inventory((Holder(name, Kind.HUMAN, place),), (way,))), tmp_path)
    done = CliRunner().invoke(app, ["check", str(tmp_path), "--notes"])
    assert "\x1b" not in done.output
    assert r"mailbox:\x1bx" in done.output
