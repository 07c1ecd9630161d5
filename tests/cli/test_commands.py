"""`locum` imports the command that is called, and tells of the others without them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from locum.cli.main import COMMANDS, loaded


def imported(*words: str) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "locum", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    command = loaded(name)
    assert command.name == name
    assert command.help is not None
    first, *_ = command.help.split("\n\n")
    assert " ".join(first.split()) == COMMANDS[name].help


@pytest.mark.parametrize("words", [("--help",), ("version",)])
def test_the_help_and_the_version_import_no_command(words: tuple[str, ...]) -> None:
    ours = {name for name in imported(*words) if name.startswith("locum.")}
    assert ours == {"locum.cli", "locum.cli.main"}


def test_a_command_of_a_person_does_not_import_what_a_server_or_an_estate_needs() -> None:
    found = imported("status", "--help")
    assert "httpx" in found
    assert not found & {"numpy", "pyarrow", "litestar", "apsw", "psycopg", "hvac", "sqlalchemy"}
