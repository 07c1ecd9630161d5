"""The commands of docs/targets.md, run as they stand there but for their folders."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from locum.issue.kek import KeyEncryptionKey
from locum.issue.static_secret import settle
from locum.issue.vault_builtin import BuiltinVault
from locum.issue.vault_openbao import AppRole, OpenBaoVault
from locum.model.path import Hook, StaticSecret
from locum.model.secret import Secret
from locum.store.port import Store

from .openbao import BAO, OpenBao

PAGE = (Path(__file__).parents[2] / "docs" / "targets.md").read_text()


def blocks(language: str, beginning: str) -> list[str]:
    found = re.findall(rf"```{language}\n({re.escape(beginning)}.*?)```", PAGE, re.DOTALL)
    assert found, f"the page has no block that begins with {beginning!r}"
    return [str(block) for block in found]


def run(script: str, server: OpenBao, stdin: str = "") -> None:
    environment = {
        "BAO_ADDR": server.url,
        "BAO_TOKEN": server.root,
        "PATH": f"{BAO.parent}:/usr/bin:/bin",
        "HOME": str(server.folder),
    }
    subprocess.run(
        ["sh", "-euc", script],
        env=environment,
        input=stdin,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_openbao_as_the_page_sets_it_up_holds_our_secrets(openbao: OpenBao, tmp_path: Path) -> None:
    (setup,), (put,) = blocks("sh", "bao secrets enable"), blocks("sh", "bao kv put")
    # The server of the tests has these two already, made the same way.
    setup = setup.replace("bao secrets enable -path=secret -version=2 kv\n", "")
    setup = setup.replace("bao auth enable approle\n", "").replace("/etc/locum", str(tmp_path))
    run(setup, openbao)
    run(put, openbao, stdin="hunter2")
    role_id = openbao.client.auth.approle.read_role_id("locum")["data"]["role_id"]
    vault = OpenBaoVault(openbao.url, AppRole(role_id, tmp_path / "secret-id"))
    assert vault.read("orders-locum") == Secret("hunter2")
    assert vault.write("orders-locum", Secret("hunter3")) == 2
    vault.forget("orders-locum")


def test_the_hooks_of_the_page_settle_a_secret(tmp_path: Path, store: Store) -> None:
    rotation, check = blocks("sh", "#!/bin/sh")
    (tmp_path / "key").write_text("old")
    (install,) = blocks("sh", "install -d")
    hooks = tmp_path / "hooks"
    for name, script in (("rotate-billing", rotation), ("check-billing", check)):
        (tmp_path / name).write_text(script.replace("/var/lib/billing", str(tmp_path)))
        told = install.replace("/etc/locum/hooks", str(hooks)).replace("rotate-billing", name)
        subprocess.run(["sh", "-euc", told], cwd=tmp_path, check=True)
    vault = BuiltinVault(store, KeyEncryptionKey(os.urandom(32)), os.urandom)
    vault.write("billing-key", Secret("old"))
    target = StaticSecret("billing-key", "KEY", Hook("rotate-billing"), Hook("check-billing"))
    settle(target, hooks, vault)
    assert vault.read("billing-key") == Secret((tmp_path / "key").read_text())
    assert vault.read("billing-key") != Secret("old")


def test_the_page_shows_the_policy_and_the_grants_that_the_tests_use() -> None:
    from .openbao import POLICY

    fixture = (Path(__file__).parent / "conftest.py").read_text()
    assert POLICY.strip() in PAGE
    for statement in (
        "CREATE ROLE orders_admin NOLOGIN",
        "GRANT orders_admin TO locum WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        "GRANT pg_signal_backend TO locum",
    ):
        assert statement in PAGE
        assert statement in fixture
