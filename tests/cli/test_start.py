"""From nothing to signed in: init, invitations, keys; and what a stranger gets wrong."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.cli.served import Ended, Served
from tests.servers.postgres import PostgresProcess
from tests.servers.program import free_port, wait_until


def said(ended: Ended, code: int = 1) -> str:
    assert ended.code == code, (ended.code, ended.out, ended.err)
    return " ".join((ended.out + ended.err).split())


def test_init_prints_the_ledgers_key_one_invitation_and_what_comes_next(served: Served) -> None:
    printed = served.made.out
    assert "Verifier key of the ledger:" in printed
    assert f"locum serve --data {served.data}" in printed
    assert printed.count("--invite") == 1
    assert (served.data / "kek").stat().st_mode & 0o077 == 0
    assert (served.data / "locum.toml").stat().st_mode & 0o077 == 0


def test_an_invitation_works_once(served: Served) -> None:
    code = served.code_in(served.made)
    again = served.run("thief", "login", "--url", served.origin, "--invite", code)
    assert "invitation" in said(again)
    assert "Nobody is signed in" in said(served.run("thief", "status"), 2)


def test_a_folder_is_not_made_twice(served: Served) -> None:
    ended = served.run("", "init", str(served.data), "--admin", "dana")
    assert "holds a Locum already" in said(ended, 2)


def test_a_running_locum_is_not_invited_into_behind_its_back(served: Served) -> None:
    ended = served.run("", "init", str(served.data), "--admin", "dana", "--again")
    assert "Another process is writing" in said(ended)
    sealed = served.run("", "vault", "put", "other", "--data", served.data, stdin="x")
    assert "Another process is writing" in said(sealed)


def test_keys_are_listed_and_a_revoked_one_is_refused_at_once(served: Served) -> None:
    invited = served.run("dana", "invite", "carol", "--json").json()
    second = served.folder / "people" / "carol-2"
    ended = served.run(second.name, "login", "--url", served.origin, "--key", "ed25519",
                       "--invite", invited["code"])  # fmt: skip
    assert ended.code == 0
    assert "You are carol" in ended.out
    keys = served.run("carol", "keys", "--json").json()
    jkt = json.loads((second / "login.json").read_text())["jkt"]
    assert jkt in [one["jkt"] for one in keys]
    assert served.run(second.name, "status").code == 0
    assert served.run("carol", "keys", "--revoke", jkt).code == 0
    assert "registered key" in said(served.run(second.name, "status"))
    assert (second / "login.json").stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in second.glob("key-*.pem"))


def test_an_invitation_for_nobody_of_the_estate_is_refused(served: Served) -> None:
    assert "mallory" in said(served.run("dana", "invite", "mallory"))


def test_a_server_that_is_not_there_is_named(served: Served) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = served.run("nobody", "login", "--url", url, "--invite", "x")
    assert "cannot be reached" in said(ended)


def test_who_is_not_signed_in_is_told_how(served: Served) -> None:
    for words in (("status",), ("keys",), ("approve", "rq_x"), ("invite", "bob")):
        assert "locum login --invite" in said(served.run("nobody", *words), 2)


def test_a_changed_estate_comes_in_force_and_a_broken_one_does_not(served: Served) -> None:
    file = served.folder / "estate.yaml"
    good = file.read_text()
    file.write_text(good.replace("reason: tests", "reason: tests of another day"))
    log = served.folder / "log"
    wait_until(lambda: "estate.in_force" in log.read_text(), served.process, log, "the reload")
    file.write_text(good.replace("until: 2099-12-31", "until: never"))
    wait_until(lambda: "estate.refused" in log.read_text(), served.process, log, "the refusal")
    assert served.run("alice", "status").code == 0
    file.write_text(good)


def test_a_lost_administrator_is_invited_again_by_who_holds_the_folder(tmp_path: Path) -> None:
    made = Served(tmp_path)
    assert made.stop() == 0
    again = made.run("", "init", str(made.data), "--admin", "dana", "--again")
    assert again.code == 0, again.err
    made.serve()
    ended = made.login("dana-2", made.code_in(again))
    assert "You are dana" in ended.out
    assert made.run("dana-2", "status").code == 0
    made.stop()


def test_a_locum_on_postgresql_is_made_and_served(
    tmp_path: Path, postgres_server: PostgresProcess
) -> None:
    postgres_server.create_database("cli_start")
    where = f"{postgres_server.host}:{postgres_server.port}"
    dsn = postgres_server.dsn("cli_start")
    password = tmp_path / ".pgpass"
    password.write_text(f"{where}:cli_start:{postgres_server.superuser}:{password_in(dsn)}\n")
    password.chmod(0o600)
    store = f"postgresql://{postgres_server.superuser}@{where}/cli_start"
    made = Served(tmp_path, "--store", store, people=("alice",))
    assert made.run("alice", "status", "--json").json()["paths"]
    assert made.stop() == 0


def password_in(dsn: str) -> str:
    return unquote(urlsplit(dsn).password or "")


@pytest.mark.parametrize("url", ["mysql://x", "postgresql://user:password@127.0.0.1/db"])
def test_a_store_that_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, url: str
) -> None:
    folder = tmp_path / "data"
    home = Served.__new__(Served)
    home.folder = tmp_path
    ended = home.run("", "init", str(folder), "--admin", "dana", "--store", url)
    assert ended.code != 0
    assert "password@" not in ended.err
    assert not (folder / "locum.toml").exists()


def test_serve_says_what_is_missing(tmp_path: Path) -> None:
    home = Served.__new__(Served)
    home.folder = tmp_path
    ended = home.run("", "serve", "--data", str(tmp_path / "none"))
    assert "locum init" in said(ended, 2)
