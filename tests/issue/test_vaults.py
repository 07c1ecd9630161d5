"""The contract of a vault, on every implementation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from locum.issue.kek import KeyEncryptionKey
from locum.issue.vault import LONGEST_SECRET, Vault
from locum.issue.vault_builtin import BuiltinVault
from locum.issue.vault_openbao import OpenBaoVault, TokenFile
from locum.model.refusal import Conflict, MalformedInput, NotFound
from locum.model.secret import Secret

from .openbao import OpenBao


@pytest.fixture(params=["built-in", "openbao"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    if request.param == "built-in":
        return BuiltinVault(
            request.getfixturevalue("store"), KeyEncryptionKey(os.urandom(32)), os.urandom
        )
    server: OpenBao = request.getfixturevalue("openbao")
    (tmp_path / "token").write_text(server.token("locum"))
    prefix = "locum/" + tmp_path.name.replace("_", "-").lower()
    return OpenBaoVault(server.url, TokenFile(tmp_path / "token"), prefix=prefix)


def test_a_written_secret_is_read_back(vault: Vault) -> None:
    vault.ready()
    assert vault.write("orders-db-admin", Secret("pässword one")) == 1
    assert vault.read("orders-db-admin") == Secret("pässword one")


def test_each_write_is_the_next_version(vault: Vault) -> None:
    assert [vault.write("key", Secret(text)) for text in ("a", "b", "c")] == [1, 2, 3]
    assert vault.read("key") == Secret("c")


def test_secrets_of_different_names_do_not_mix(vault: Vault) -> None:
    vault.write("burnt/key", Secret("old"))
    vault.write("key", Secret("new"))
    assert (vault.read("burnt/key"), vault.read("key")) == (Secret("old"), Secret("new"))


def test_what_was_never_sealed_is_not_found(vault: Vault) -> None:
    with pytest.raises(NotFound):
        vault.read("nothing")


def test_a_forgotten_secret_is_not_found_and_may_be_written_again(vault: Vault) -> None:
    vault.write("key", Secret("old"))
    vault.forget("key")
    vault.forget("key")
    with pytest.raises(NotFound):
        vault.read("key")
    vault.write("key", Secret("new"))
    assert vault.read("key") == Secret("new")


def test_forgetting_what_is_not_there_is_no_error(vault: Vault) -> None:
    vault.forget("nothing")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../b", "/a", "A", "a/b/c/d", "a b", "a\n"])
def test_a_name_that_could_climb_is_refused(vault: Vault, name: str) -> None:
    for act in (vault.read, vault.forget, lambda name: vault.write(name, Secret("s"))):
        with pytest.raises(MalformedInput):
            act(name)


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_SECRET + 1)])
def test_a_secret_of_no_length_or_too_much_is_refused(vault: Vault, text: str) -> None:
    with pytest.raises(MalformedInput):
        vault.write("key", Secret(text))


def test_the_longest_secret_is_kept_whole(vault: Vault) -> None:
    secret = Secret("x" * LONGEST_SECRET)
    vault.write("key", secret)
    assert vault.read("key") == secret


def test_of_two_writers_who_saw_the_same_version_one_gets_a_conflict(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.write("key", Secret("first"))
    look = "_sealed" if isinstance(vault, BuiltinVault) else "_version"
    seen = getattr(vault, look)

    def overtaken(*arguments: object) -> object:
        found = seen(*arguments)
        monkeypatch.setattr(vault, look, seen)
        vault.write("key", Secret("faster"))
        return found

    monkeypatch.setattr(vault, look, overtaken)
    with pytest.raises(Conflict):
        vault.write("key", Secret("slower"))
    assert vault.read("key") == Secret("faster")
