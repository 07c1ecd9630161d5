"""The demo is played as a user plays it, and what it leaves can be verified by anybody."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.pki.rotating import lasting_port
from tests.servers.program import free_port, wait_until


def locum(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "locum", *arguments],
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )


@pytest.mark.parametrize("story", ["break-glass", "rotation"])
def test_a_story_goes_as_told_and_its_ledger_verifies(tmp_path: Path, story: str) -> None:
    data, port = tmp_path / "demo", lasting_port()
    # The story takes its time: it starts real servers.
    played = locum("demo", "--story", story, "--once", "--data", str(data), "--port", str(port))
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


def test_a_demo_that_is_told_to_end_leaves_nothing_running_and_no_folder(tmp_path: Path) -> None:
    log = tmp_path / "log"
    # A database must not run as root: who runs it instead has to reach its folder.
    with tempfile.TemporaryDirectory() as made, log.open("w") as out:
        Path(made).chmod(0o755)
        played = subprocess.Popen(
            [sys.executable, "-m", "locum", "demo", "--port", str(free_port())],
            stdout=out,
            stderr=out,
            env={**os.environ, "TMPDIR": made},
        )
        wait_until(lambda: "rq_" in log.read_text(), played, log, "the story")
        played.terminate()
        assert played.wait(timeout=180) == 143, log.read_text()
        assert "Traceback" not in log.read_text()
        left = [one.name for one in Path(made).iterdir() if one.name.startswith("locum-")]
        assert left == []
