"""`locum rotate` as a pipeline runs it, against a Locum that serves TLS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.pki.rotating import PATH, RotatingWorld, RunningClock
from tests.pki.test_callers import in_force


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path / "world", clock=RunningClock())
    yield made
    made.close()


def rotate(
    world: RotatingWorld, folder: Path, *words: str, code: int = 0, path: str = PATH
) -> subprocess.CompletedProcess[str]:
    certificate, key = world.primary.files
    done = subprocess.run(
        [
            sys.executable, "-m", "locum", "rotate", path, "--url", world.origin,
            "--ca-file", str(world.corporate.file), "--certificate", certificate, "--key", key,
            "--backup-dir", str(folder), "--wait", "2", *words,
        ],
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_pipeline_rotates_unattended(running: RotatingWorld, tmp_path: Path) -> None:
    new, folder = running.renewed(), tmp_path / "backup"
    check = (
        f"{sys.executable} -c \"import os; assert os.path.exists(os.environ['LOCUM_BACKUP_KEY'])\""
    )
    done = rotate(
        running, folder, "--json", "--with-backup", check, "--replace", check,
        "--new-certificate", new.files[0], "--new-key", new.files[1],
    )  # fmt: skip
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["step"] for one in steps] == [
        "announced",
        "backup issued",
        "primary replaced",
        "cutover seen",
        "backup dead",
        "review due",
    ]
    assert not (folder / "backup.key").exists()
    assert "PRIVATE" not in done.stdout + done.stderr


def test_outside_the_window_it_says_when_it_opens(running: RotatingWorld, tmp_path: Path) -> None:
    opens = datetime.now(UTC) + timedelta(hours=2)
    window = ("--from", opens.isoformat(), "--until", (opens + timedelta(minutes=5)).isoformat())
    done = rotate(running, tmp_path / "backup", *window, code=1)
    assert "The window opens at" in done.stderr


def test_a_failed_replacement_leaves_the_backup_and_goes_on_from_there(
    running: RotatingWorld, tmp_path: Path
) -> None:
    new, folder = running.renewed(), tmp_path / "backup"
    done = rotate(running, folder, "--replace", "false", code=1)
    assert "stays in service until" in done.stderr
    assert (folder / "backup.key").exists()
    grant = json.loads((folder / "rotation.json").read_text())["grant"]
    told = running.call("GET", f"/v1/grants/{grant}", running.primary).json()
    assert told["state"] == "open"
    words = ("--new-certificate", new.files[0], "--new-key", new.files[1])
    rotate(running, folder, "--replace", "true", *words)
    told = running.call("GET", f"/v1/grants/{grant}", running.primary).json()
    assert (told["how"], told["dead"]) == ("cutover", True)


def test_the_old_certificate_tells_no_cutover(running: RotatingWorld, tmp_path: Path) -> None:
    old = running.primary.files
    words = ("--new-certificate", old[0], "--new-key", old[1])
    done = rotate(running, tmp_path / "backup", *words, code=1)
    assert "is to be replaced" in done.stderr


def test_an_identity_is_enough_where_it_has_one_path_for_backups(
    running: RotatingWorld, tmp_path: Path
) -> None:
    several = rotate(running, tmp_path / "a", code=2, path="payments-api")
    assert "payments-api/rotation-backup" in several.stderr

    def one(whole: Any) -> None:
        whole["identities"]["payments-api"]["fallbacks"].pop("approved")

    in_force(running, one)
    rotate(running, tmp_path / "a", "--announce-only", path="payments-api")
    assert json.loads((tmp_path / "a" / "rotation.json").read_text())["path"] == PATH
    none = rotate(running, tmp_path / "b", code=2, path="gateway")
    assert "opens no path of gateway" in none.stderr
