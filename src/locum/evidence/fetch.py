"""One HTTP request to a declared address, bounded in time and size.

HTTPS with the system's trust, or plain HTTP to loopback. No redirect is followed, no proxy or
password is taken from the environment, and a URL with a user name in it is refused: it would put a
secret into logs. The outcome says whose silence it is: `Silent` when the address refused or ran
out of time, `Unavailable` when the fault may be ours (name look-up, network, trust).
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from time import monotonic

import httpx
import msgspec

from locum.evidence.address import OURS
from locum.evidence.deadline import within
from locum.model.refusal import MalformedInput, Unavailable

MOST_BYTES = 65_536


class Answered(msgspec.Struct, frozen=True):
    """What came back; `body` is never longer than `MOST_BYTES`."""

    status: int
    body: bytes


class Silent(msgspec.Struct, frozen=True):
    """The address refused the connection, broke it, or did not answer in time."""

    detail: str


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    seconds: float = 3.0,
    most: int = MOST_BYTES,
) -> Answered | Silent:
    """Send one request and read its answer.

    Args:
        seconds: for all of it, from the name look-up to the last byte.
        most: bytes that the answer may have.

    Raises:
        MalformedInput: the URL is none that we call, or a header cannot be sent.
        Unavailable: the fault may be ours, or the answer is too large to be one.
    """
    host = checked_url(url)
    try:
        return within(
            seconds + 0.5, lambda: _exchange(method, url, headers, content, seconds, most)
        )
    except (TimeoutError, httpx.TimeoutException):
        return Silent(f"{host} did not answer within {seconds:g} s.")
    except (httpx.LocalProtocolError, UnicodeError):
        # The library's own words would quote the header, and a header may carry a secret.
        raise MalformedInput(
            f"The request to {host} cannot be sent as declared.",
            "A secret sent in a header is printable ASCII without spaces; check the header's name.",
        ) from None
    except httpx.HTTPError as error:
        return _silence_of(error, host)


def checked_url(url: str) -> str:
    """Give the host and port of a URL that we call.

    Raises:
        MalformedInput: neither HTTPS nor HTTP on loopback, or with a user name in it.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        raise MalformedInput("This is not a URL.", "Write it as https://host/path.") from None
    plain = parsed.scheme == "http" and _is_loopback(parsed.host)
    if not parsed.host or not (parsed.scheme == "https" or plain) or parsed.userinfo:
        raise MalformedInput(
            f"A URL to {parsed.host or 'no host'} is not called: it is neither HTTPS nor HTTP on "
            "loopback, or it holds a user name.",
            "Use https:// and keep secrets out of the URL.",
        )
    return parsed.netloc.decode()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _exchange(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    content: bytes | None,
    seconds: float,
    most: int,
) -> Answered:
    end = monotonic() + seconds
    with (
        httpx.Client(trust_env=False, follow_redirects=False, timeout=seconds) as client,
        client.stream(method, url, headers=headers, content=content) as response,
    ):
        body = b""
        for chunk in response.iter_raw(4096):
            body += chunk
            if len(body) > most:
                raise Unavailable(
                    f"{response.url.host} answered with more than {most} bytes.",
                    "Declare an address whose answer is small.",
                )
            if monotonic() > end:
                raise TimeoutError
        return Answered(response.status_code, body)


def _silence_of(error: httpx.HTTPError, host: str) -> Silent:
    causes = tuple(_chain(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        raise Unavailable(
            f"The name in {host} does not resolve here, so nothing is known of it.",
            "Check the name in the estate and the resolver of this machine.",
        ) from None
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        raise Unavailable(
            f"The certificate of {host} is not trusted here, so nothing is known of it.",
            "Add its authority to this machine's trust store, or mend the certificate.",
        ) from None
    if any(isinstance(cause, OSError) and cause.errno in OURS for cause in causes):
        raise Unavailable(
            f"This machine has no way to {host}, so nothing is known of it.",
            "Check the network of this machine.",
        ) from None
    refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
    return Silent(f"{host} {'refused the connection' if refused else 'broke the connection'}.")


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__
