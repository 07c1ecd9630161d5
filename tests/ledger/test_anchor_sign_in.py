"""The anchor in OpenBao signs in as the vault does: a token file that is renewed, or an AppRole."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.http.world import ESTATE, free_port
from tests.servers.clock import SteppedClock
from tests.servers.openbao import OpenBaoProcess

from locum.ledger.errors import LedgerError
from locum.model.secret import Secret
from locum.service.starting import Started, make_folder, start

POLICY = """
path "secret/data/locum/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/locum/*" { capabilities = ["read", "delete"] }
"""
SETTINGS = """
[server]
origin = "http://127.0.0.1:1"

[vault]
url = "{url}"
{login}

[anchor]
openbao_path = "locum/anchor-{name}"
"""


@pytest.fixture
def bao(openbao_server: OpenBaoProcess) -> OpenBaoProcess:
    client = openbao_server.client()
    client.sys.create_or_update_policy("locum-anchor", POLICY)
    if "approle/" not in client.sys.list_auth_methods()["data"]:
        client.sys.enable_auth_method("approle")
    client.auth.approle.create_or_update_approle("anchor", token_policies=["locum-anchor"])
    return openbao_server


def begun(folder: Path, bao: OpenBaoProcess, login: str) -> Iterator[Started]:
    clock = SteppedClock()
    settings = SETTINGS.format(url=bao.address, login=login, name=secrets.token_hex(4))
    make_folder(folder / "data", settings, clock.now, secrets.token_bytes)
    (folder / "data" / "estate.yaml").write_text(ESTATE.format(closed=free_port()))
    started = start(folder / "data", clock.now, secrets.token_bytes)
    yield started
    started.locum.store.close()


@pytest.fixture
def by_role(tmp_path: Path, bao: OpenBaoProcess) -> Iterator[Started]:
    approle = bao.client().auth.approle
    role = approle.read_role_id("anchor")["data"]["role_id"]
    (tmp_path / "secret-id").write_text(
        approle.generate_secret_id("anchor")["data"]["secret_id"] + "\n"
    )
    login = f'role_id = "{role}"\nsecret_id_file = "{tmp_path}/secret-id"'
    yield from begun(tmp_path, bao, login)


@pytest.fixture
def by_file(tmp_path: Path, bao: OpenBaoProcess) -> Iterator[Started]:
    renew(tmp_path, bao)
    yield from begun(tmp_path, bao, f'token_file = "{tmp_path}/token"')


def renew(folder: Path, bao: OpenBaoProcess) -> str:
    made = bao.client().auth.token.create(policies=["locum-anchor"])
    token = str(made["auth"]["client_token"])
    (folder / "token").write_text(token)
    return token


def signs(started: Started) -> bytes:
    while started.sequencer.integrate():
        continue
    note = started.sequencer.anchor.load()
    assert note is not None
    assert started.locum.store.look(lambda transaction: transaction.checkpoint()) == note
    return note


def test_an_anchor_is_kept_by_a_locum_that_signs_in_by_approle(by_role: Started) -> None:
    assert signs(by_role)


def test_a_token_that_ended_is_replaced_by_the_one_in_its_file(
    by_file: Started, tmp_path: Path, bao: OpenBaoProcess
) -> None:
    first = signs(by_file)
    old = (tmp_path / "token").read_text()
    renew(tmp_path, bao)
    bao.client().auth.token.revoke(old)
    assert signs(by_file) == first


def test_without_a_token_nothing_is_signed(by_file: Started, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(LedgerError, match=r"no token or secret id"):
        by_file.sequencer.integrate()


def test_no_token_is_in_what_an_anchor_is_shown_as(by_file: Started, tmp_path: Path) -> None:
    signs(by_file)
    token = Secret((tmp_path / "token").read_text())
    assert token.reveal() not in repr(by_file.sequencer.anchor)
    assert isinstance(by_file.sequencer.anchor.load(), bytes)
