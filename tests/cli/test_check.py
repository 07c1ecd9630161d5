"""`locum check` and wrong usage: 0 where an estate can be used, 1 where not, 2 for bad input."""

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


@pytest.mark.parametrize(("example", "code"), [("break-glass", 0), ("mistakes", 1)])
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
