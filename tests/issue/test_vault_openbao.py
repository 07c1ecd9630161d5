"""OpenBao's bad days, on a real server: sealed, gone, forbidden, and a token that ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from locum.issue.vault_openbao import AppRole, OpenBaoVault, TokenFile
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.secret import Secret

from .conftest import free_port
from .openbao import OpenBao


@pytest.fixture
def vault(openbao: OpenBao, tmp_path: Path) -> Iterator[OpenBaoVault]:
    (tmp_path / "token").write_text(openbao.token("locum"))
    vault = OpenBaoVault(openbao.url, TokenFile(tmp_path / "token"))
    vault.write("orders", Secret("hunter2"))
    yield vault
    vault.forget("orders")


def every_verb_says(vault: OpenBaoVault, words: str) -> None:
    for act in (
        vault.ready,
        lambda: vault.read("orders"),
        lambda: vault.write("orders", Secret("hunter3")),
        lambda: vault.forget("orders"),
    ):
        with pytest.raises(Unavailable, match=words) as refused:
            act()
        assert "hunter" not in str(refused.value)


def test_a_sealed_server_refuses_and_says_how_to_unseal_it(
    openbao: OpenBao, vault: OpenBaoVault
) -> None:
    openbao.client.sys.seal()
    try:
        every_verb_says(vault, "sealed.*bao operator unseal")
    finally:
        openbao.unseal()
    assert vault.read("orders") == Secret("hunter2")


def test_a_server_that_is_gone_refuses_and_is_used_again_when_back(
    openbao: OpenBao, vault: OpenBaoVault
) -> None:
    openbao.stop()
    try:
        every_verb_says(vault, "cannot be reached")
    finally:
        openbao.start()
        openbao.unseal()
    assert vault.read("orders") == Secret("hunter2")


def test_a_server_that_never_answers_is_given_up(silent_port: int, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("some-token")
    vault = OpenBaoVault(f"http://127.0.0.1:{silent_port}", TokenFile(tmp_path / "token"))
    with pytest.raises(Unavailable, match="did not answer in time"):
        vault.ready()


@pytest.mark.usefixtures("vault")
def test_a_token_without_permission_is_told_apart(openbao: OpenBao, tmp_path: Path) -> None:
    (tmp_path / "other").write_text(openbao.token("default"))
    vault = OpenBaoVault(openbao.url, TokenFile(tmp_path / "other"))
    with pytest.raises(Unavailable, match=r"does not let.*docs/targets\.md"):
        vault.read("orders")
    with pytest.raises(Unavailable, match="does not let"):
        vault.write("orders", Secret("hunter3"))


def test_our_policy_gives_nothing_outside_our_folder(openbao: OpenBao, tmp_path: Path) -> None:
    openbao.client.secrets.kv.v2.create_or_update_secret("other/key", {"secret": "theirs"})
    (tmp_path / "token").write_text(openbao.token("locum"))
    vault = OpenBaoVault(openbao.url, TokenFile(tmp_path / "token"), prefix="other")
    with pytest.raises(Unavailable, match="does not let"):
        vault.read("key")


def test_a_token_renewed_in_its_file_is_taken_up(
    openbao: OpenBao, vault: OpenBaoVault, tmp_path: Path
) -> None:
    openbao.client.auth.token.revoke((tmp_path / "token").read_text())
    with pytest.raises(Unavailable, match="does not let"):
        vault.read("orders")
    (tmp_path / "token").write_text(openbao.token("locum") + "\n")
    assert vault.read("orders") == Secret("hunter2")


@pytest.mark.usefixtures("vault")
def test_an_approle_logs_in_and_again_when_its_token_ended(
    openbao: OpenBao, tmp_path: Path
) -> None:
    approle = openbao.client.auth.approle
    made = approle.generate_secret_id("locum")["data"]["secret_id"]
    (tmp_path / "secret-id").write_text(made)
    role_id = approle.read_role_id("locum")["data"]["role_id"]
    vault = OpenBaoVault(openbao.url, AppRole(role_id, tmp_path / "secret-id"))
    assert vault.read("orders") == Secret("hunter2")
    assert vault._session._token is not None
    openbao.client.auth.token.revoke(vault._session._token.reveal())
    assert vault.read("orders") == Secret("hunter2")


def test_a_wrong_secret_id_is_said_so(openbao: OpenBao, tmp_path: Path) -> None:
    (tmp_path / "secret-id").write_text("hunter-not-it")
    vault = OpenBaoVault(openbao.url, AppRole("no-role", tmp_path / "secret-id"))
    with pytest.raises(Unavailable, match="role id and secret id") as refused:
        vault.ready()
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_token_file_without_a_token_is_said_so(
    openbao: OpenBao, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(Unavailable, match="no token or secret id"):
        OpenBaoVault(openbao.url, TokenFile(tmp_path / "token")).ready()


def test_a_secret_of_another_shape_is_not_handed_out(openbao: OpenBao, vault: OpenBaoVault) -> None:
    openbao.client.secrets.kv.v2.create_or_update_secret("locum/odd", {"password": "hunter2"})
    with pytest.raises(Unavailable, match="field `secret`"):
        vault.read("odd")


def test_an_engine_of_another_path_or_version_is_said_so(openbao: OpenBao, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(openbao.root)
    vault = OpenBaoVault(openbao.url, TokenFile(tmp_path / "token"), mount="cubbyhole")
    with pytest.raises(Unavailable):
        vault.write("orders", Secret("hunter2"))


@pytest.mark.parametrize("url", ["http://bao.example:8200", "https://me:pw@bao.example", "bao"])
def test_plain_http_is_for_loopback_alone(url: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedInput):
        OpenBaoVault(url, TokenFile(tmp_path / "token"))


def test_a_server_away_is_told_from_one_that_never_was(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("some-token")
    vault = OpenBaoVault(f"http://127.0.0.1:{free_port()}", TokenFile(tmp_path / "token"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        vault.ready()
