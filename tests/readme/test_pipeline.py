"""The example of a pipeline runs in a repository that holds an estate and nothing of Locum's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.estate.test_report import SARIF

ROOT = Path(__file__).parents[2]
PIPELINE = ROOT / "examples" / "pipeline" / "locum-check.yaml"


def steps() -> list[dict[str, Any]]:
    said: dict[str, Any] = YAML(typ="safe").load(PIPELINE)
    found: list[dict[str, Any]] = said["jobs"]["check"]["steps"]
    return found


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-ec", line],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples" / "acme", tmp_path / "estate")
    made = run("locum check estate --json --fail-on never > baseline.json", tmp_path)
    assert made.returncode == 0, made.stderr
    return tmp_path


def test_locum_is_installed_from_a_checkout_of_its_own() -> None:
    fetched = [one["with"]["path"] for one in steps() if "repository" in one.get("with", {})]
    [install] = [one["run"] for one in steps() if "venv" in one.get("run", "")]
    assert fetched == [".locum"]
    assert install.startswith("make -C .locum venv && ")
    assert f'"$PWD/{fetched[0]}/.venv/bin" >> "$GITHUB_PATH"' in install
    assert not any("pip " in one.get("run", "") for one in steps())
    assert "\nvenv:" in (ROOT / "Makefile").read_text()


def test_what_is_known_passes_and_what_is_new_fails(repository: Path) -> None:
    lines = [one["run"] for one in steps() if one.get("run", "").startswith("locum ")]
    assert [run(one, repository).returncode for one in lines] == [0, 0]
    SARIF.validate(json.loads((repository / "locum.sarif").read_text()))
    assert (repository / "report.html").stat().st_size > 10_000
    (repository / "estate" / "new.yaml").write_text(
        "version: 1\nfound:\n  new-key: {identity: payments-api, method: api-key, ends: never}\n"
    )
    assert run(lines[0], repository).returncode == 1
    [sarif] = json.loads((repository / "locum.sarif").read_text())["runs"]
    assert any("new-key" in one["message"]["text"] for one in sarif["results"])
