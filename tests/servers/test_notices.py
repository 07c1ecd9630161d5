"""The servers that receive notices keep what they got, and refuse as often as they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from email.message import EmailMessage
from smtplib import SMTP, SMTPDataError

import httpx
import pytest

from tests.servers.clock import SteppedClock
from tests.servers.smtp import SmtpServer
from tests.servers.webhook import WebhookServer


def send(server: SmtpServer) -> None:
    message = EmailMessage()
    message["Subject"] = "A path was opened – orders-db-admin/break-glass"
    message.set_content("Two approvals, until 10:00 UTC.")
    with SMTP(server.host, server.port) as client:
        client.send_message(message, "locum@example.com", ["alice@example.com"])


def test_a_mail_is_kept_with_its_envelope(smtp_server: SmtpServer) -> None:
    send(smtp_server)
    (mail,) = smtp_server.inbox.wait_for(1)
    assert (mail.sender, mail.recipients) == ("locum@example.com", ("alice@example.com",))
    assert mail.message["Subject"] == "A path was opened – orders-db-admin/break-glass"
    assert mail.message.get_content() == "Two approvals, until 10:00 UTC.\r\n"


def test_a_mail_is_refused_as_often_as_told_and_kept_after(smtp_server: SmtpServer) -> None:
    smtp_server.inbox.refuse(1)
    with pytest.raises(SMTPDataError, match="451"):
        send(smtp_server)
    send(smtp_server)
    assert len(smtp_server.inbox.items) == 1


def test_a_request_is_kept_whole(webhook_server: WebhookServer) -> None:
    answer = httpx.post(
        f"{webhook_server.url}/notices?x=1", json={"event": "opened"}, headers={"X-Kind": "a"}
    )
    assert answer.status_code == 204
    (got,) = webhook_server.inbox.wait_for(1)
    assert (got.method, got.path, got.headers["x-kind"]) == ("POST", "/notices?x=1", "a")
    assert got.json() == {"event": "opened"}


def test_a_request_is_refused_as_often_as_told_and_kept_after(
    webhook_server: WebhookServer,
) -> None:
    webhook_server.inbox.refuse(2)
    statuses = [httpx.post(webhook_server.url).status_code for _ in range(3)]
    assert statuses == [503, 503, 204]
    assert len(webhook_server.inbox.items) == 1


def test_the_clock_goes_only_when_told_backwards_too(clock: SteppedClock) -> None:
    start = clock.now()
    assert start.tzinfo is UTC
    assert clock() == start
    assert clock.advance(timedelta(hours=1)) == clock.now() == start + timedelta(hours=1)
    assert clock.advance(timedelta(hours=-2)) == start - timedelta(hours=1)


def test_a_free_port_can_be_listened_on(free_port: Callable[[], int]) -> None:
    assert 20_000 <= free_port() < 32_000
