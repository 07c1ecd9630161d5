"""A run in which a secret reaches a log fails, and says where without saying the secret."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.servers.run import Run

ROOT = Path(__file__).parents[2]
SECRET = 'correct horse/battery"staple'


@pytest.fixture
def run() -> Iterator[Run]:
    run = Run.begin()
    yield run
    run.end(keep_logs=False)
    assert not run.folder.exists()


def run_tests(folder: Path, source: str, *options: str) -> tuple[int, str]:
    """Run a small suite in a process of its own, under the plugin."""
    (folder / "test_small.py").write_text(source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.servers.plugin", "-c", os.devnull),
            *("-p", "xdist", "-p", "no:cacheprovider", f"--rootdir={folder}", *options),
            str(folder),
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # one of them takes seconds to import
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        SECRET.replace('"', '\\"'),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
    ],
    ids=["plain", "json", "url", "base64", "hex"],
)
def test_a_secret_is_found_however_it_is_written(run: Run, shown: str) -> None:
    run.record(SECRET)
    (run.logs / "a.log").write_text(f"all is well\nthe word is {shown}, they say\n")
    (leak,) = run.leaks()
    assert leak.startswith(f"{run.logs}/a.log:2 has a secret of tests/servers/test_run.py")
    assert SECRET not in leak


def test_a_line_of_a_key_is_found(run: Run) -> None:
    run.record("-----BEGIN KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END KEY-----\n")
    (run.logs / "a.log").write_text("-----BEGIN KEY-----\nkey=MIGHAgEAMBMGByqGSM49\n")
    assert [leak.split()[0] for leak in run.leaks()] == [f"{run.logs}/a.log:2"]


def test_logs_without_a_secret_are_clean(run: Run) -> None:
    run.record(SECRET)
    (run.logs / "a.log").write_text("Secret(…)\n")
    assert run.leaks() == []


def test_a_secret_too_short_to_search_for_is_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="fewer than 8"):
        run.record("short")


@pytest.mark.parametrize("options", [("-n", "2"), ()], ids=["parallel", "alone"])
@pytest.mark.parametrize(
    "leak",
    [
        "(run_log_dir / 'server.log').write_text('it is hunter2-hunter2')",
        "print('it is hunter2-hunter2')",
        "__import__('logging').getLogger('x').info('it is hunter2-hunter2')",
    ],
    ids=["server", "printed", "logged"],
)
def test_a_run_that_logs_a_secret_fails(tmp_path: Path, leak: str, options: tuple[str]) -> None:
    source = (
        "def test_one(record_secret):\n    record_secret('hunter2-hunter2')\n"
        f"def test_two(run_log_dir):\n    {leak}\n"
    )
    status, said = run_tests(tmp_path, source, *options)
    assert status == 1
    assert "test_small.py::test_one" in said
    assert "2 passed, 1 error" in said.splitlines()[-1]
    assert "hunter2-hunter2" not in said


@pytest.mark.parametrize("options", [("-n", "2"), ()], ids=["parallel", "alone"])
def test_a_run_that_logs_none_passes_and_leaves_nothing(
    tmp_path: Path, options: tuple[str]
) -> None:
    source = (
        "def test_one(record_secret):\n    record_secret('hunter2-hunter2')\n"
        "def test_two(run_log_dir):\n    (run_log_dir / 'a.log').write_text('Secret(…)')\n"
    )
    status, said = run_tests(tmp_path, source, *options)
    assert status == 0, said
    assert not list(tmp_path.glob("locum-tests-*"))
