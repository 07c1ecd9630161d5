"""What people type wrongly, or meet on the way, is said with what to do next."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.served import Served
from tests.cli.test_start import said


def kept(served: Served, who: str) -> list[Path]:
    return list((served.folder / "people" / who).glob("key-*.pem"))


def test_a_key_that_was_not_registered_is_not_kept(served: Served) -> None:
    ended = served.run("mallory", "login", "--url", served.origin, "--invite", "locum_in_guessed")
    assert "`locum invite`" in said(ended)
    assert kept(served, "mallory") == []


def test_an_invitation_can_be_piped_so_that_no_process_list_shows_it(served: Served) -> None:
    code = served.run("dana", "invite", "bob", "--json").json()["code"]
    ended = served.run("bob-2", "login", "--url", served.origin, stdin=code + "\n")
    assert "You are bob" in said(ended, 0)


def test_no_invitation_at_all_is_said(served: Served) -> None:
    assert "No invitation" in said(served.run("eve", "login", "--url", served.origin), 2)


@pytest.mark.parametrize(
    "url", ["locum.example.com", "ftp://h", "http://u@h", "http://h/v1", "http://h:0", "http://["]
)
def test_an_address_that_is_none_is_refused_before_a_key_is_made(served: Served, url: str) -> None:
    ended = served.run("eve", "login", "--url", url, "--invite", "x")
    assert "https://HOST" in said(ended, 2)
    assert kept(served, "eve") == []


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_named(served: Served, text: str | None) -> None:
    file = served.folder / f"ca-{text is None}.pem"
    if text is not None:
        file.write_text(text)
    words = ("login", "--url", served.origin, "--invite", "x", "--ca-file", file)
    assert file.name in said(served.run("eve", *words), 2)


def test_a_server_that_speaks_no_tls_is_told_from_one_that_is_not_there(served: Served) -> None:
    url = served.origin.replace("http:", "https:")
    ended = served.run("eve", "login", "--url", url, "--invite", "x")
    assert "does not speak TLS" in said(ended)


def test_an_id_cannot_lead_to_another_address(served: Served) -> None:
    for words in (
        ("approve", "../grants/gr_x"),
        ("close", "gr_x/../.."),
        ("keys", "--revoke", "?"),
    ):
        assert "cannot be an id" in said(served.run("alice", *words), 2)


def test_the_status_of_no_path_is_not_an_empty_success(served: Served) -> None:
    ended = served.run("alice", "status", "--path", "payments/kye")
    assert "no path 'payments/kye'" in said(ended, 2)


def test_an_administrator_whom_the_estate_lacks_leaves_nothing_behind(served: Served) -> None:
    folder = served.folder / "other"
    words = ("init", folder, "--admin", "mallory", "--estate", served.folder / "estate.yaml")
    assert "no person mallory" in said(served.run("", *words), 2)
    assert "cannot be a name" in said(served.run("", "init", folder, "--admin", "Dana Scully"), 2)
    assert not folder.exists()


def test_a_port_that_is_taken_is_said_without_a_trace(served: Served) -> None:
    folder = served.folder / "second"
    served.run("", "init", folder, "--admin", "dana", "--port", str(served.port))
    ended = served.run("", "serve", "--data", folder)
    assert f"port {served.port}" in said(ended, 2)


def test_a_ledger_that_is_no_folder_is_no_stack_trace(served: Served) -> None:
    ended = served.run("", "ledger", "verify", served.folder / "nowhere")
    assert "is no folder" in said(ended, 2)
    ended = served.run("", "ledger", "verify", served.origin, "--vkey", "nonsense")
    assert "not a verifier key" in said(ended, 2)
