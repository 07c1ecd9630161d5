"""Notices to people: by mail, by webhook, and by whatever else Apprise speaks.

A notice says what happened, where to look and how to repudiate it (REC-11, REC-12, BG-E4). It
carries no secret and no link that acts. Sending raises where it did not succeed; the outbox tries
again.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

import apprise
import httpx
import msgspec

from locum.evidence.fetch import checked_url
from locum.model.refusal import Unavailable
from locum.model.secret import Secret

_SECONDS = 5.0


class Notice(msgspec.Struct, frozen=True):
    """What somebody is told."""

    subject: str
    text: str
    facts: dict[str, str]


class Mail(msgspec.Struct, frozen=True):
    """The mail server that notices go through.

    Args:
        security: `starttls`, `tls`, or `none` (loopback only).
    """

    host: str
    port: int
    sender: str
    security: str = "starttls"
    user: str = ""
    password: Secret | None = None


def send(notice: Notice, to: str, mail: Mail | None) -> None:
    """Send one notice to one address.

    Args:
        to: `mailto:…`, `https://…` (JSON is posted), or an Apprise URL.

    Raises:
        Unavailable: it was not taken; try again.
        MalformedInput: the address is not one.
    """
    if to.startswith("mailto:"):
        _mail(notice, to.removeprefix("mailto:"), mail)
    elif to.startswith(("https://", "http://")):
        _post(notice, to)
    else:
        _apprise(notice, to)


def _mail(notice: Notice, address: str, mail: Mail | None) -> None:
    if mail is None:
        raise _untaken("No mail server is set", "Set `[mail]` in locum.toml.")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, address, notice.subject
    message.set_content(notice.text)
    kind = smtplib.SMTP_SSL if mail.security == "tls" else smtplib.SMTP
    try:
        with kind(mail.host, mail.port, timeout=_SECONDS) as server:
            if mail.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if mail.password is not None:
                server.login(mail.user, mail.password.reveal())
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise _untaken(
            f"The mail server did not take it ({type(error).__name__})", "Look at the mail server."
        ) from None


def _post(notice: Notice, url: str) -> None:
    body = {"kind": "locum.notice/1", "subject": notice.subject, "text": notice.text}
    checked_url(url)
    try:
        answer = httpx.post(
            url,
            json=body | {"facts": notice.facts},
            timeout=_SECONDS,
            follow_redirects=False,
        )
    except httpx.HTTPError as error:
        raise _untaken(
            f"The webhook cannot be reached ({type(error).__name__})", "Look at the receiver."
        ) from None
    if not answer.is_success:
        raise _untaken(f"The webhook answered {answer.status_code}", "Look at the receiver.")


def _apprise(notice: Notice, url: str) -> None:
    outlet = apprise.Apprise()
    if not outlet.add(url):
        raise _untaken("The address is of no known kind", "See the Apprise documentation.")
    if not outlet.notify(title=notice.subject, body=notice.text):
        raise _untaken("The service did not take it", "Look at the service and the address.")


def _untaken(fact: str, remedy: str) -> Unavailable:
    return Unavailable(f"A notice was not sent: {fact}.", remedy)
