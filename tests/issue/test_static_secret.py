"""The target `static`: burnt at close until a new secret is proved to be in place."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from locum.issue.kek import KeyEncryptionKey
from locum.issue.static_secret import prove_refused, reveal, rotate, settle
from locum.issue.vault_builtin import BuiltinVault
from locum.model.path import Hook, HttpCheck, StaticSecret, Webhook
from locum.model.refusal import MalformedInput, NotFound, Unavailable
from locum.model.secret import Secret
from locum.store.port import Store

from .conftest import Web, free_port
from .hooks import write_hook

OLD = Secret("hunter2-old")


@pytest.fixture
def vault(store: Store) -> BuiltinVault:
    vault = BuiltinVault(store, KeyEncryptionKey(os.urandom(32)), os.urandom)
    vault.write("api-key", OLD)
    return vault


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    folder = tmp_path / "hooks"
    folder.mkdir(mode=0o755)
    write_hook(folder, "rotate", "echo hunter2-new")
    write_hook(folder, "check", 'grep -q \'"secret":"hunter2-old"\'')
    return folder


def by_hooks(rotation: str = "rotate", check: str = "check") -> StaticSecret:
    return StaticSecret("api-key", "API_KEY", Hook(rotation), Hook(check))


def by_web(web: Web) -> StaticSecret:
    return StaticSecret(
        "api-key", "API_KEY", Webhook(web.url + "/rotate"), HttpCheck(web.url + "/me")
    )


class Provider:
    """A service with one good key, which its webhook changes: a real provider in small."""

    def __init__(self, web: Web) -> None:
        self.good = OLD.reveal()
        self.made = 0
        web.answer = self.answer

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if path == "/rotate":
            self.made += 1
            self.good = f"hunter2-new-{self.made}"
            return 200, json.dumps({"secret": self.good}).encode()
        return (200 if headers.get("Authorization") == f"Bearer {self.good}" else 401), b""


def test_settling_by_webhook_leaves_a_new_secret_and_a_refused_old_one(
    vault: BuiltinVault, hooks: Path, web: Web
) -> None:
    provider = Provider(web)
    settle(by_web(web), hooks, vault)
    assert reveal(by_web(web), vault) == Secret(provider.good)
    with pytest.raises(NotFound):
        vault.read("burnt/api-key")
    assert json.loads(web.asked[0][2]) == {"kind": "locum.rotate/1", "name": "api-key"}


def test_settling_by_hooks_leaves_a_new_secret(vault: BuiltinVault, hooks: Path) -> None:
    settle(by_hooks(), hooks, vault)
    assert vault.read("api-key") == Secret("hunter2-new")


def test_a_secret_that_is_still_accepted_is_not_settled_and_is_looked_at_again(
    vault: BuiltinVault, hooks: Path, web: Web
) -> None:
    provider = Provider(web)
    web.answer = lambda path, headers, body: (
        provider.answer(path, headers, body) if path == "/rotate" else (200, b"")
    )
    for _ in range(3):
        with pytest.raises(Unavailable, match="may still be good"):
            settle(by_web(web), hooks, vault)
    assert provider.made == 1
    assert vault.read("burnt/api-key") == OLD
    web.answer = provider.answer
    settle(by_web(web), hooks, vault)
    assert vault.read("api-key") == Secret(provider.good)


def test_a_check_that_refuses_everything_proves_nothing(
    vault: BuiltinVault, hooks: Path, web: Web
) -> None:
    provider = Provider(web)
    web.answer = lambda path, headers, body: (
        provider.answer(path, headers, body) if path == "/rotate" else (403, b"")
    )
    with pytest.raises(Unavailable, match="proves nothing"):
        settle(by_web(web), hooks, vault)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"secret": "hunter2-new"}),
        (302, {"secret": "hunter2-new"}),
        (200, b"hunter2-new"),
        (200, {"key": "hunter2-new"}),
        (200, {"secret": ""}),
        (200, {"secret": 5}),
        (200, {"secret": "two\nlines"}),
        (200, {"secret": "hunter2-old"}),
        (200, b"[" * 50_000),
        (200, b"x" * 100_000),
    ],
)
def test_a_webhook_that_fails_leaves_the_old_secret_sealed(
    vault: BuiltinVault, hooks: Path, web: Web, status: int, body: object
) -> None:
    web.answers(status, body)
    with pytest.raises(Unavailable) as refused:
        rotate(by_web(web), hooks, vault)
    assert "hunter2" not in str(refused.value)
    assert vault.read("api-key") == OLD


def test_a_webhooks_redirect_is_not_followed(vault: BuiltinVault, hooks: Path, web: Web) -> None:
    web.headers["Location"] = web.url + "/elsewhere"
    web.answers(307)
    with pytest.raises(Unavailable, match="answered 307"):
        rotate(by_web(web), hooks, vault)
    assert [path for path, _, _ in web.asked] == ["/rotate"]


def test_a_webhook_that_is_away_is_tried_again_later(vault: BuiltinVault, hooks: Path) -> None:
    away = Webhook(f"http://127.0.0.1:{free_port()}/rotate")
    target = StaticSecret("api-key", "API_KEY", away, Hook("check"))
    with pytest.raises(Unavailable, match="refused the connection"):
        settle(target, hooks, vault)
    assert vault.read("api-key") == OLD


@pytest.mark.parametrize(
    "url", ["http://provider.example/rotate", "ftp://127.0.0.1/", "https://u:p@127.0.0.1/", "//x"]
)
def test_a_webhook_elsewhere_than_https_or_loopback_is_not_called(
    vault: BuiltinVault, hooks: Path, url: str
) -> None:
    with pytest.raises(MalformedInput):
        rotate(StaticSecret("api-key", "API_KEY", Webhook(url), Hook("check")), hooks, vault)


@pytest.mark.parametrize(
    "script",
    [
        ":",
        "echo",
        "echo one; echo two",
        "printf 'a b'",
        "printf '\\377\\376'",
        "head -c 17000 /dev/zero | tr '\\0' x",
        "echo hunter2-new; exit 1",
        "echo hunter2-old",
    ],
)
def test_a_hook_that_does_not_give_one_new_secret_leaves_the_old_one_sealed(
    vault: BuiltinVault, hooks: Path, script: str
) -> None:
    write_hook(hooks, "bad", script)
    with pytest.raises(Unavailable) as refused:
        rotate(by_hooks(rotation="bad"), hooks, vault)
    assert "hunter2" not in str(refused.value)
    assert vault.read("api-key") == OLD


def test_a_check_hook_that_says_no_leaves_the_close_unsettled(
    vault: BuiltinVault, hooks: Path
) -> None:
    write_hook(hooks, "accepts", "exit 1")
    with pytest.raises(Unavailable, match="ended with status 1"):
        settle(by_hooks(check="accepts"), hooks, vault)
    assert vault.read("burnt/api-key") == OLD


@pytest.mark.parametrize("status", [200, 204, 302, 404, 429, 500])
def test_only_a_declared_status_means_refused(hooks: Path, web: Web, status: int) -> None:
    web.answers(status)
    with pytest.raises(Unavailable, match="may still be good"):
        prove_refused(by_web(web), OLD, hooks)


def test_a_check_that_is_away_proves_nothing(hooks: Path) -> None:
    check = HttpCheck(f"http://127.0.0.1:{free_port()}/me")
    target = StaticSecret("api-key", "API_KEY", Hook("rotate"), check)
    with pytest.raises(Unavailable, match="not known"):
        prove_refused(target, OLD, hooks)


def test_a_check_sends_the_secret_as_declared_and_nowhere_else(hooks: Path, web: Web) -> None:
    web.answers(418)
    check = HttpCheck(web.url + "/me", "X-Api-Key", "", (418,))
    prove_refused(StaticSecret("api-key", "API_KEY", Hook("rotate"), check), OLD, hooks)
    path, headers, body = web.asked[0]
    assert (path, headers["X-Api-Key"], body) == ("/me", OLD.reveal(), b"")


@pytest.mark.parametrize("secret", ["two\r\nX-Evil: 1", "sp ace", "é"])
def test_a_secret_that_would_break_a_header_is_not_sent(hooks: Path, web: Web, secret: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        prove_refused(by_web(web), Secret(secret), hooks)
    assert secret not in str(refused.value)
    assert web.asked == []


def test_nothing_is_rotated_while_the_new_secret_could_not_be_sealed(
    hooks: Path, web: Web, vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Provider(web)

    def shut() -> None:
        raise Unavailable("The vault is shut.", "Open it.")

    monkeypatch.setattr(vault, "ready", shut)
    with pytest.raises(Unavailable):
        settle(by_web(web), hooks, vault)
    assert provider.made == 0


def test_a_secret_may_not_be_named_as_one_that_is_being_burnt(
    hooks: Path, vault: BuiltinVault
) -> None:
    target = StaticSecret("burnt/api-key", "API_KEY", Hook("rotate"), Hook("check"))
    with pytest.raises(MalformedInput):
        settle(target, hooks, vault)


def test_settling_goes_on_from_wherever_it_stopped(
    vault: BuiltinVault, hooks: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Die before the n-th call to the vault, then run it again: always the same end."""
    provider = Provider(web)
    for deaths in range(9):
        before = provider.good
        dies_after(vault, deaths, monkeypatch)
        with contextlib.suppress(KeyboardInterrupt):
            settle(by_web(web), hooks, vault)
        monkeypatch.undo()
        settle(by_web(web), hooks, vault)
        assert vault.read("api-key") == Secret(provider.good)
        assert provider.good != before
        with pytest.raises(NotFound):
            vault.read("burnt/api-key")


def dies_after(vault: BuiltinVault, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(calls))

    def dying(act: Callable[..., object]) -> Callable[..., object]:
        def once(*arguments: object) -> object:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return act(*arguments)

        return once

    for verb in ("read", "write", "forget"):
        monkeypatch.setattr(vault, verb, dying(getattr(vault, verb)))
