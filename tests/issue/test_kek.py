"""The key-encryption key and its three places."""

from __future__ import annotations

import base64
import os
import pickle
import stat
import sys
from pathlib import Path

import pytest

from locum.issue.kek import (
    KeyEncryptionKey,
    create_key_file,
    derive,
    kek_from_command,
    kek_from_environment,
    kek_from_file,
)
from locum.model.refusal import MalformedInput, Unavailable

KEY = bytes(range(32))
TEXT = base64.b64encode(KEY).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    create_key_file(tmp_path / "kek", lambda count: KEY[:count])
    return tmp_path / "kek"


def test_a_key_file_gives_its_key_back(file: Path) -> None:
    assert kek_from_file(file).reveal() == KEY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_file_is_never_overwritten(file: Path) -> None:
    with pytest.raises(Unavailable, match="never overwritten"):
        create_key_file(file, os.urandom)
    assert kek_from_file(file).reveal() == KEY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o700])
def test_a_key_file_that_others_may_open_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(Unavailable, match=f"{mode:04o}.*chmod 0600"):
        kek_from_file(file)


def test_a_stricter_mode_is_accepted(file: Path) -> None:
    file.chmod(0o400)
    assert kek_from_file(file).reveal() == KEY


def test_a_link_to_a_key_file_is_refused(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    with pytest.raises(Unavailable, match="links are not followed"):
        kek_from_file(link)


def test_a_pipe_is_no_key_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(Unavailable, match="not a regular file"):
        kek_from_file(tmp_path / "pipe")


def test_a_key_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(Unavailable, match=f"belongs to user {mine}"):
        kek_from_file(file)


@pytest.mark.parametrize(
    "content",
    [
        "",
        TEXT + "\n",
        f"locum-kek/2\n{TEXT}\n",
        f"locum-kek/1\n{TEXT}",
        f"locum-kek/1\n{TEXT}\n\n",
        f"locum-kek/1\n {TEXT}\n",
        f"locum-kek/1\n{TEXT[:-4]}\n",
        f"locum-kek/1\n{TEXT}{TEXT}\n",
        f"locum-kek/1\n{TEXT[:-2]}9=\n",
    ],
)
def test_a_key_file_that_is_not_exactly_one_is_refused(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(Unavailable) as refused:
        kek_from_file(file)
    assert TEXT not in str(refused.value)


def test_a_variable_gives_the_key() -> None:
    assert kek_from_environment("KEK", {"KEK": TEXT}).reveal() == KEY


@pytest.mark.parametrize("environment", [{}, {"KEK": ""}, {"KEK": TEXT + "\n"}, {"KEK": "secret"}])
def test_a_variable_without_a_key_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(Unavailable):
        kek_from_environment("KEK", environment)


def test_a_command_gives_the_key() -> None:
    assert kek_from_command([sys.executable, "-c", f"print({TEXT!r})"]).reveal() == KEY


@pytest.mark.parametrize(
    "program",
    ["", "print('no key')", f"print({TEXT!r}); exit(3)", f"print({TEXT!r} * 100)"],
)
def test_a_command_that_gives_no_key_is_refused(program: str) -> None:
    with pytest.raises(Unavailable) as refused:
        kek_from_command([sys.executable, "-c", program])
    assert TEXT not in str(refused.value)


def test_a_command_that_is_not_there_is_refused() -> None:
    with pytest.raises(Unavailable, match="cannot be run"):
        kek_from_command(["/nonexistent/kek"])


def test_each_purpose_has_a_key_of_its_own() -> None:
    kek = KeyEncryptionKey(KEY)
    assert derive(kek, "one") == derive(KeyEncryptionKey(KEY), "one")
    assert len({derive(kek, "one"), derive(kek, "two"), KEY}) == 3
    assert len(derive(kek, "one")) == 32


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(MalformedInput):
        KeyEncryptionKey(b"short")


def test_a_key_is_not_shown_by_accident() -> None:
    kek = KeyEncryptionKey(KEY)
    assert f"{kek} {kek!r}" == "KeyEncryptionKey(…) KeyEncryptionKey(…)"
    with pytest.raises(TypeError):
        pickle.dumps(kek)
