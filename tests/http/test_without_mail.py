"""Without a mail server: it is said at the start and in the findings, and no notice waits on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from locum.ledger.entry import Entry, decode
from locum.service.notices import GIVEN_UP_AFTER
from locum.service.rounds import Rounds
from tests.http.world import ESTATE, World, ask
from tests.servers.clock import SteppedClock
from tests.servers.smtp import SmtpServer

ADDRESS = "bob@home.example"
REACHABLE = ESTATE.replace(
    "owner: b@example.com,", f'owner: b@example.com, notify: ["mailto:{ADDRESS}"],'
)
assert ADDRESS in REACHABLE


@pytest.fixture
def mailless(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, SteppedClock(), REACHABLE)
    yield made
    made.close()


def entries(world: World) -> list[Entry]:
    look = world.started.locum.store.look
    size = look(lambda one: one.ledger_size())
    return [decode(one) for one in look(lambda transaction: transaction.entries(0, size))]


def waiting(world: World) -> int:
    count, _ = world.started.locum.store.look(lambda transaction: transaction.outbox())
    return count


def test_each_path_that_would_write_mails_is_a_finding(mailless: World) -> None:
    found = mailless.people["alice"].call("GET", "/v1/findings").json()
    said = {one["path"]: one for one in found if "mail server" in one["fact"]}
    assert set(said) == {"service/approved"}, "nobody is written to about the other path"
    finding = said["service/approved"]
    assert (finding["law"], finding["severity"]) == (5, "warning")
    assert "1 mail address" in finding["fact"]
    assert "[mail]" in finding["remedy"]
    assert ADDRESS not in str(finding)


def test_it_is_said_at_the_start(mailless: World) -> None:
    rounds = Rounds(mailless.started)
    with capture_logs() as logs:
        rounds.start()
        rounds.stop()
    [said] = [one for one in logs if one["event"] == "mail.missing"]
    assert said["log_level"] == "warning"
    assert "[mail]" in said["remedy"]


def test_a_notice_waits_for_its_time_and_then_ends_on_the_record(mailless: World) -> None:
    mailless.settle()
    mailless.clock.advance(GIVEN_UP_AFTER)
    mailless.settle()  # what tells of the keys that were registered ends first
    before = len(entries(mailless))
    mailless.people["alice"].sign_in()
    asked = ask(mailless.people["alice"], "service/approved")
    assert asked.status_code == 201, asked.text
    mailless.settle()
    assert waiting(mailless) == 1
    mailless.clock.advance(GIVEN_UP_AFTER - timedelta(seconds=1))
    mailless.settle()
    assert waiting(mailless) == 1, "a mail server that is set by then still gets it"
    mailless.clock.advance(timedelta(minutes=10))
    mailless.settle()
    mailless.settle()
    assert waiting(mailless) == 0
    [ended] = [one for one in entries(mailless)[before:] if one.act == "notice.undeliverable"]
    assert ended.subject == asked.json()["id"]
    assert "service/approved" in str(ended.facts["notice"])
    assert ADDRESS not in str(entries(mailless)), "the record is public"


def test_it_is_once_on_the_record_though_the_task_is_tried_again(mailless: World) -> None:
    mailless.settle()
    mailless.clock.advance(GIVEN_UP_AFTER * 2)
    for _ in range(3):
        mailless.settle()
    ended = [one for one in entries(mailless) if one.act == "notice.undeliverable"]
    assert len(ended) == 1, "bob was to be told of his key"


def test_with_a_mail_server_nothing_of_this_is_said(
    tmp_path: Path, smtp_server: SmtpServer
) -> None:
    clock = SteppedClock()
    mail = f'[mail]\nhost = "{smtp_server.host}"\nport = {smtp_server.port}\n'
    world = World(
        tmp_path, clock, REACHABLE, mail + 'sender = "l@example.com"\nsecurity = "none"\n'
    )
    try:
        found = world.people["alice"].call("GET", "/v1/findings").json()
        assert not [one for one in found if "mail server" in one["fact"]]
        smtp_server.inbox.refuse(1)
        world.settle()
        clock.advance(GIVEN_UP_AFTER * 2)
        world.settle()
        smtp_server.inbox.wait_for(1)
        assert "notice.undeliverable" not in {one.act for one in entries(world)}
    finally:
        world.close()
