"""A real SMTP server that keeps what it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.servers.inbox import Inbox
from tests.servers.program import free_port


@dataclass(frozen=True)
class Mail:
    """One message, with the envelope it came in."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


class SmtpServer:
    """A mail server on loopback; `inbox` has what came and can refuse for a while (451)."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = free_port()
        self.inbox: Inbox[Mail] = Inbox()
        self._controller = Controller(self, hostname=self.host, port=self.port)
        self._controller.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Answer one message, as aiosmtpd asks."""
        parsed = message_from_bytes(envelope.content, _class=EmailMessage, policy=default)
        mail = Mail(envelope.mail_from, tuple(envelope.rcpt_tos), parsed)
        return "250 kept" if self.inbox.deliver(mail) else "451 try again later"

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()
