"""Who is told of each act, once each, by webhook and by mail; what waits too long escalates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.http.test_lives import activate, approve, introspect
from tests.http.told import estate
from tests.http.world import World, ask, free_port
from tests.servers.clock import SteppedClock
from tests.servers.smtp import SmtpServer
from tests.servers.webhook import WebhookServer

INCIDENT = {"evidence": {"incident": "INC-7"}}


class Told:
    """A world, and what its people were told since the last look."""

    def __init__(self, world: World, hook: WebhookServer, mail: SmtpServer) -> None:
        self.world, self._hook, self._mail = world, hook, mail
        self._seen = (0, 0)
        self.anew()

    def anew(self) -> dict[str, list[str]]:
        """Subjects by who got them, since this was asked last."""
        self.world.settle()
        posts, mails = self._hook.inbox.items, self._mail.inbox.items
        found: dict[str, list[str]] = {}
        for one in posts[self._seen[0] :]:
            found.setdefault(one.path.removeprefix("/"), []).append(one.json()["subject"])
        for sent in mails[self._seen[1] :]:
            found.setdefault("mail", []).append(str(sent.message["Subject"]))
        self._seen = len(posts), len(mails)
        return found

    def everything(self) -> list[str]:
        """Every message ever sent, as text."""
        posts = [one.body.decode() for one in self._hook.inbox.items]
        return posts + [sent.message.as_string() for sent in self._mail.inbox.items]

    def last(self) -> dict[str, Any]:
        """The newest post."""
        found: dict[str, Any] = self._hook.inbox.items[-1].json()
        return found


@pytest.fixture
def told(tmp_path: Path, webhook_server: WebhookServer, smtp_server: SmtpServer) -> Iterator[Told]:
    settings = (
        f'\n[mail]\nhost = "{smtp_server.host}"\nport = {smtp_server.port}\n'
        'sender = "locum@example.com"\nsecurity = "none"\n'
    )
    text = estate(webhook_server.url, free_port()).replace("{", "{{").replace("}", "}}")
    world = World(
        tmp_path, SteppedClock(), text, settings, ("alice", "bob", "carol", "dana", "erin")
    )
    yield Told(world, webhook_server, smtp_server)
    world.close()


def test_every_act_tells_those_that_it_concerns_once_each(told: Told) -> None:
    world = told.world
    alice, bob, dana = (world.people[name] for name in ("alice", "bob", "dana"))
    request = ask(alice, "service/approved", **INCIDENT).json()
    asks = ["[Locum] service/approved asks for approval"]
    assert told.anew() == {"bob": asks, "mail": asks}
    assert approve(bob, request).json()["state"] == "ready"
    assert told.anew() == {}
    opened = activate(alice, request).json()
    token = opened["credential"]["value"]
    is_open = ["[Locum] service/approved is open"]
    assert told.anew() == {"service": is_open, "mail": is_open}
    alice.call("POST", f"/v1/grants/{opened['grant']['id']}/close", json={})
    closed = ["[Locum] service/approved is closed, and its review is due"]
    assert told.anew() == {"dana": closed, "service": closed, "mail": closed}
    world.clock.advance(timedelta(hours=24, seconds=1))
    world.sign_in()
    late = ["[Locum] service/approved is not reviewed in time, and blocks its path"]
    assert told.anew() == {"dana": late, "service": late, "mail": late}
    body = {"verdict": "emergency", "comment": "late, but done"}
    dana.call("POST", f"/v1/grants/{opened['grant']['id']}/review", json=body)
    done = ["[Locum] service/approved was reviewed"]
    assert told.anew() == {"service": done, "mail": done}
    assert not introspect(bob, token)["active"]
    assert not any(token in item for item in told.everything())


def test_a_notice_says_what_why_until_and_what_to_do(told: Told) -> None:
    alice, bob = told.world.people["alice"], told.world.people["bob"]
    request = ask(alice, "service/approved", **INCIDENT).json()
    approve(bob, request)
    grant = activate(alice, request).json()["grant"]
    told.anew()
    notice = told.last()
    assert notice["kind"] == "locum.notice/1"
    assert notice["facts"] | {"grant": grant["id"]} == notice["facts"]
    for part in (request["id"], "outage", "alice", "reason: why", grant["ends_at"][:16]):
        assert part in notice["text"], notice["text"]
    assert f"`locum close {grant['id']}`" in notice["text"]
    assert "team@example.com" in notice["text"]


def test_what_nobody_answers_goes_to_the_escalation_group_and_they_decide(told: Told) -> None:
    world = told.world
    alice, erin = world.people["alice"], world.people["erin"]
    request = ask(alice, "service/approved", **INCIDENT).json()
    told.anew()
    early = approve(erin, request)
    assert early.status_code == 403, "not before it is theirs"
    world.clock.advance(timedelta(minutes=10, seconds=1))
    assert told.anew() == {"erin": ["[Locum] service/approved still waits for approval"]}
    assert approve(erin, request).json()["state"] == "ready"
    assert activate(alice, request).status_code == 201


def test_what_was_answered_in_time_does_not_escalate(told: Told) -> None:
    world = told.world
    request = ask(world.people["alice"], "service/approved", **INCIDENT).json()
    approve(world.people["bob"], request)
    told.anew()
    world.clock.advance(timedelta(minutes=11))
    assert "erin" not in told.anew()


def test_a_request_that_nobody_answers_lapses_and_says_so(told: Told) -> None:
    world = told.world
    alice, bob = world.people["alice"], world.people["bob"]
    request = ask(alice, "service/approved", **INCIDENT).json()
    world.clock.advance(timedelta(minutes=30))
    late = approve(bob, request)
    assert late.status_code in (403, 409)
    world.settle()
    assert alice.call("GET", f"/v1/requests/{request['id']}").json()["state"] == "lapsed"
    answer = activate(alice, request)
    assert answer.status_code in (403, 409)
    assert answer.json()["remedy"]


def test_a_receiver_that_fails_is_asked_again_and_gets_one_copy(
    told: Told, webhook_server: WebhookServer, smtp_server: SmtpServer
) -> None:
    webhook_server.inbox.refuse(2)
    smtp_server.inbox.refuse(1)
    ask(told.world.people["alice"], "service/approved", **INCIDENT)
    assert told.anew() == {}
    found: dict[str, list[str]] = {}
    for _ in range(4):
        told.world.clock.advance(timedelta(minutes=30))
        for who, subjects in told.anew().items():
            found.setdefault(who, []).extend(subjects)
    asks = "[Locum] service/approved asks for approval"
    assert found["bob"].count(asks) == 1
    assert found["mail"].count(asks) == 1


def test_a_key_in_somebodys_name_is_told_to_them(told: Told) -> None:
    person = told.world.join("bob")
    assert told.anew() == {"bob": ["[Locum] a key was registered for bob"]}
    notice = told.last()
    assert f"locum keys --revoke {person.key.thumbprint()}" in notice["text"]
    assert notice["facts"]["source"] == "127.0.0.1"
