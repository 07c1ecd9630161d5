"""The demo is played as a user plays it, and what it leaves can be verified by anybody."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path


def locum(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "locum", *arguments],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_story_goes_as_told_and_its_ledger_verifies(tmp_path: Path) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    data = tmp_path / "demo"
    # The story takes its time: it starts real servers.
    played = locum("demo", "--once", "--data", str(data), "--port", str(port))
    assert played.returncode == 0, played.stdout + played.stderr
    assert "The story went as told." in played.stdout
    [kept] = {place.parent for place in data.rglob("locum.toml")}
    verified = locum("ledger", "verify", "--data", str(kept), "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert '"verified": true' in verified.stdout


def test_a_folder_that_holds_something_is_not_played_in(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    refused = locum("demo", "--once", "--data", str(tmp_path))
    assert refused.returncode == 2
    assert (tmp_path / "mine").read_text() == "keep"
