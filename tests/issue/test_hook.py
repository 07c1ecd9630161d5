"""Hooks that are not what they should be, by their file or by what they do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from locum.issue.hook import run_hook
from locum.model.refusal import MalformedInput, Unavailable

from .hooks import write_hook


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    folder = tmp_path / "hooks"
    folder.mkdir(mode=0o755)
    return folder


def test_a_hook_reads_its_input_and_its_output_is_given_back(hooks: Path) -> None:
    write_hook(hooks, "echo", "cat")
    assert run_hook(hooks, "echo", b'{"kind":"x/1"}') == b'{"kind":"x/1"}'


def test_a_hook_gets_no_environment_but_a_path(
    hooks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUM_KEK", "hunter2")
    write_hook(hooks, "env", 'env; echo "arguments: $#"')
    printed = run_hook(hooks, "env", b"").decode()
    names = {line.partition("=")[0] for line in printed.splitlines() if "=" in line}
    assert names <= {"PATH", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "arguments: 0" in printed


@pytest.mark.parametrize("name", ["", "../evil", "/bin/sh", "a/b", ".hidden", "two words", "Sh"])
def test_only_a_bare_name_is_a_hook(hooks: Path, name: str) -> None:
    with pytest.raises(MalformedInput):
        run_hook(hooks, name, b"")


def test_a_hook_that_is_not_there_is_said_so(hooks: Path) -> None:
    with pytest.raises(Unavailable, match="no hook rotate"):
        run_hook(hooks, "rotate", b"")


def test_a_link_out_of_the_folder_is_not_run(hooks: Path) -> None:
    write_hook(hooks.parent, "outside", "echo ran")
    (hooks / "rotate").symlink_to(hooks.parent / "outside")
    with pytest.raises(Unavailable, match="link out of"):
        run_hook(hooks, "rotate", b"")


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_file_that_others_may_write_is_not_run(hooks: Path, mode: int) -> None:
    write_hook(hooks, "rotate", "echo ran").chmod(mode)
    with pytest.raises(Unavailable, match=r"may write.*rotate"):
        run_hook(hooks, "rotate", b"")


def test_a_folder_that_others_may_write_runs_nothing(hooks: Path) -> None:
    write_hook(hooks, "rotate", "echo ran")
    hooks.chmod(0o777)
    with pytest.raises(Unavailable, match="may write"):
        run_hook(hooks, "rotate", b"")


def test_a_file_of_another_user_is_not_run(hooks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_hook(hooks, "rotate", "echo ran")
    if os.geteuid() == 0:
        os.chown(file, 65_534, 65_534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65_533)
    with pytest.raises(Unavailable, match="may write"):
        run_hook(hooks, "rotate", b"")


def test_a_file_that_is_not_executable_is_said_so(hooks: Path) -> None:
    write_hook(hooks, "rotate", "echo ran").chmod(0o644)
    with pytest.raises(Unavailable, match="not an executable file"):
        run_hook(hooks, "rotate", b"")


def test_a_folder_is_no_hook(hooks: Path) -> None:
    (hooks / "rotate").mkdir()
    with pytest.raises(Unavailable, match="not an executable file"):
        run_hook(hooks, "rotate", b"")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("yes", "printed more than"),
        ("head -c 30000 /dev/zero", "printed more than"),
        ("echo hunter2; echo hunter2 >&2; exit 1", "ended with status 1"),
        ("kill -9 $$", "ended with status -9"),
        ("exec 1>&-; while :; do :; done", "not done in time"),
        ("while :; do :; done", "not done in time"),
        ("( while :; do :; done ) & echo hunter2", "not done in time"),
    ],
)
def test_a_hook_that_misbehaves_is_refused_without_repeating_it(
    hooks: Path, script: str, said: str
) -> None:
    write_hook(hooks, "rotate", script)
    with pytest.raises(Unavailable, match=said) as refused:
        run_hook(hooks, "rotate", b'{"secret":"hunter2"}', seconds=0.5)
    assert "hunter2" not in str(refused.value)


def test_nothing_of_a_hook_outlives_it(hooks: Path) -> None:
    """Its child would wait for ever at a pipe that nobody writes."""
    os.mkfifo(hooks / "held")
    write_hook(hooks, "rotate", "( exec 9<>held; read -r _ <&9 ) > /dev/null & echo $!")
    child = int(run_hook(hooks, "rotate", b""))
    while is_running(child):
        os.sched_yield()


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_hook_that_does_not_read_its_input_is_no_error(hooks: Path) -> None:
    write_hook(hooks, "rotate", "exec 0<&-; echo done")
    assert run_hook(hooks, "rotate", b"x" * 8_000) == b"done\n"
