"""The record does not leak, drop or lie; calls out go where the operator said and no further."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from locum.estate.checking import check
from locum.evidence.fetch import Answered, checked_url, fetch
from locum.model.refusal import MalformedInput
from locum.service.elapse import recheck
from tests.attacks.test_rows import in_force
from tests.http.test_lives import activate, introspect
from tests.http.world import ESTATE, World, ask, opened


def entries(world: World) -> bytes:
    """Every entry there is, integrated or not."""
    store = world.started.locum.store
    waiting = store.look(lambda transaction: transaction.pending(100_000))
    size = store.look(lambda transaction: transaction.ledger_size())
    kept = store.look(lambda transaction: transaction.entries(0, size))
    return b"\n".join([*kept, *(entry for _, entry, _ in waiting)])


def test_the_record_holds_no_token_no_words_and_no_line_of_the_callers_making(world: World) -> None:
    alice = world.people["alice"]
    reason = 'my password is hunter2\n{"act":"grant.reviewed"}'
    request = ask(alice, reason=reason).json()
    token = activate(alice, request).json()["credential"]["value"]
    found = entries(world)
    assert request["id"].encode() in found
    assert token.encode() not in found
    assert b"hunter2" not in found
    assert b'"act":"grant.reviewed"' not in found


def test_every_refused_act_is_on_the_record(world: World) -> None:
    alice, bob = world.people["alice"], world.people["bob"]
    request = ask(alice).json()
    before = entries(world).count(b'"act":"refused"')
    for _ in range(3):
        assert activate(bob, request).status_code == 403
    assert entries(world).count(b'"act":"refused"') == before + 3


def test_a_path_that_is_no_longer_declared_leaves_no_access_alive(world: World) -> None:
    alice, bob = world.people["alice"], world.people["bob"]
    grant, token = opened(alice)
    request = ask(alice).json()
    try:
        in_force(world, ESTATE.split("      lease:")[0] + "      approved:"
                 + ESTATE.split("      approved:")[1])  # fmt: skip
        recheck(world.started.locum)
        assert activate(alice, request).status_code == 404
        assert introspect(bob, token) == {"active": False}
        shown = alice.call("GET", f"/v1/grants/{grant}").json()
        assert shown["state"] == "closed"
    finally:
        in_force(world, ESTATE)


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://example.com/hook",
     "https://user:secret@example.com/", "gopher://127.0.0.1/", "http://0x7f000001.example/", "//x",
     "http://127.0.0.1@evil.example/", "http://[::ffff:10.0.0.1]/"],
)  # fmt: skip
def test_a_callback_to_where_nobody_should_call_is_refused(url: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        checked_url(url)
    assert "secret" not in str(caught.value).lower().replace("keep secrets out", "")


def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        answer = fetch("GET", f"http://127.0.0.1:{server.server_address[1]}/health")
        server.shutdown()
    assert isinstance(answer, Answered)
    assert (answer.status, asked) == (302, ["/health"])


@pytest.mark.parametrize(
    "hook", ["../../bin/sh", "/bin/sh", "rotate;id", "rotate key", "$(id)", "", "."]
)
def test_a_hook_that_is_no_bare_name_is_refused_at_declaration(
    tmp_path: Path, world: World, hook: str
) -> None:
    text = (
        ESTATE.rstrip()
        + f"""
      static:
        method: vaulted-secret
        target: {{{{static: some-key, inject: SOME_KEY, rotate: {{{{command: "{hook}"}}}}}}}}
        causes: [outage]
        requesters: leads
        limits: {{{{ttl: 5m}}}}
        review: {{{{by: security, within: 24h}}}}
        owner: team
        reason: tests
        until: 2099-12-31
"""
    )
    file = tmp_path / "estate.yaml"
    file.write_text(text.format(closed=1))
    assert check(file, world.clock.now()).refused


def test_what_is_nested_or_huge_is_refused_before_it_is_kept(world: World) -> None:
    alice = world.people["alice"]
    before = entries(world)
    deep = b'{"path":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    for content in (deep, b'{"path":"' + b"a" * 100_000 + b'"}', b"\xff\xfe", b"{}{}", b"null"):
        answer = alice.call("POST", "/v1/requests", content=content)
        assert answer.status_code in (400, 413)
        assert "Traceback" not in answer.text
    assert entries(world) == before
