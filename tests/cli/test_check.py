"""`locum check` and wrong usage: 0 where nothing is found, 1 on findings, 2 for bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def locum(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "locum", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_names_every_command() -> None:
    shown = locum("--help")
    assert shown.returncode == 0
    for name in ("init", "serve", "demo", "check", "request", "run", "drill", "ledger", "vault"):
        assert name in shown.stdout


@pytest.mark.parametrize(("example", "code"), [("break-glass", 0), ("acme", 1), ("mistakes", 2)])
def test_an_example_is_judged_alike_in_every_form(example: str, code: int) -> None:
    place = str(EXAMPLES / example)
    assert locum("check", place).returncode == code
    for form in ("json", "sarif"):
        shown = locum("check", place, "--format", form)
        assert shown.returncode == code, shown.stderr
        assert json.loads(shown.stdout)


@pytest.mark.parametrize(
    "arguments", [("check",), ("nothing",), ("check", ".", "--format", "xml"), ("request",)]
)
def test_wrong_usage_exits_2_and_prints_no_trace(arguments: tuple[str, ...]) -> None:
    shown = locum(*arguments)
    assert shown.returncode == 2
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("broken", ["mistakes", "nowhere"])
def test_what_cannot_be_read_is_never_known_and_never_let_pass(broken: str, tmp_path: Path) -> None:
    place = str(EXAMPLES / broken)
    baseline = tmp_path / "baseline.json"
    baseline.write_text(locum("check", place, "--json").stdout)
    shown = locum("check", place, "--baseline", str(baseline), "--fail-on", "never")
    assert shown.returncode == 2
    assert "The laws are asked once these are mended." in shown.stdout
    assert "of the baseline" not in shown.stdout
