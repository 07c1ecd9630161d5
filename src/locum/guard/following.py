"""Follows Locum's revocations in a thread: the stream, and the list whenever the stream is away.

Everything comes over HTTPS, whose certificate is what makes a beat believable; the list is signed
besides. Each stream begins with everything that is revoked, so nothing rests on what a guard may
have missed, and one is renewed now and then. What fails is tried again; meanwhile knowledge ages,
and `RevokedSerials` says so.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from locum.guard.certificate import Issuer
from locum.guard.events import events
from locum.guard.revocation_list import LARGEST
from locum.guard.revocations import STALE_AFTER, RevokedSerials
from locum.model.refusal import LocumError, MalformedInput, NotFound, Unavailable

SILENCE_SECONDS = 3.0
"""How long a stream may be silent; Locum beats every second or more often."""

PAUSE_SECONDS = 1.0
RENEW_AFTER = timedelta(minutes=10)
Lines = Generator[str, None, None]
_log = logging.getLogger("locum.guard")


class Published:
    """What one Locum publishes for relying parties.

    Args:
        url: Locum's origin, `https://…`.
        ca_file: who vouches for Locum's own TLS certificate, PEM; empty: whom the system trusts.

    Raises:
        MalformedInput: the URL is not one of HTTPS.
    """

    def __init__(self, url: str, ca_file: str = "") -> None:
        if not url.startswith("https://"):
            raise MalformedInput(
                "Revocations are read over HTTPS only: without it anybody could hold them back.",
                "Give Locum's URL as https://…, and its authority where that is a private one.",
            )
        try:
            trust = ssl.create_default_context(cafile=ca_file or None)
        except ssl.SSLError:
            raise MalformedInput(f"{ca_file} holds no certificate.", "Give a PEM file.") from None
        self._http = httpx.Client(base_url=url, verify=trust, timeout=SILENCE_SECONDS)
        self._url = url

    def lines(self) -> Lines:
        """Give the stream of revocations, line by line.

        Raises:
            Unavailable: it cannot be had, or was silent for too long.
        """
        with self._opened("/v1/revocations", "text/event-stream") as answer:
            try:
                yield from answer.iter_lines()
            except httpx.HTTPError as error:
                raise self._away(error) from None

    def revocation_list(self) -> bytes:
        """Give the complete list, DER."""
        return self.get("/pki/crl.der")

    def get(self, place: str) -> bytes:
        """Give what is published at a place.

        Raises:
            NotFound: there is no such thing.
            Unavailable: Locum does not answer, or not with it.
        """
        with self._opened(place, "*/*") as answer:
            body = bytearray()
            try:
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise Unavailable(f"{place} is too large.", "Ask who publishes it.")
            except httpx.HTTPError as error:
                raise self._away(error) from None
        return bytes(body)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _opened(self, place: str, kind: str) -> closing[httpx.Response]:
        request = self._http.build_request("GET", place, headers={"Accept": kind})
        try:
            answer = self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if answer.status_code == 200:
            return closing(answer)
        answer.close()
        if answer.status_code == 404:
            raise NotFound(f"{self._url} has no {place}.", "Check the URL, and Locum's `[pki]`.")
        raise Unavailable(
            f"{self._url}{place} answered {answer.status_code}.", "See what Locum's log says."
        )

    def _away(self, error: httpx.HTTPError) -> Unavailable:
        return Unavailable(
            f"{self._url} cannot be read ({error or type(error).__name__}).",
            "Check the address, and the authority that vouches for it.",
        )


class Follower:
    """Keeps `RevokedSerials` up to date, in a thread of its own while the context is open.

    Args:
        revocations: what is told.
        lines: opens the stream.
        fetch_list: fetches the complete list, DER.
        clock: tells the time.
        notice: told of each change between seen and away, for people.
    """

    def __init__(
        self,
        revocations: RevokedSerials,
        lines: Callable[[], Lines],
        fetch_list: Callable[[], bytes],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        notice: Callable[[str], None] = _log.warning,
    ) -> None:
        self.revocations = revocations
        self._lines, self._fetch_list = lines, fetch_list
        self._clock, self._notice = clock, notice
        self._ended = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._run, name="locum-revocations", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(SILENCE_SECONDS + PAUSE_SECONDS)

    def turn(self) -> None:
        """Follow one stream until it ends or is due for renewal, then fetch the list once."""
        began = self._clock()
        try:
            with closing(self._lines()) as lines:
                for event in events(lines):
                    now = self._clock()
                    self.revocations.hear(event, now)
                    self._say("")
                    if self._ended.is_set() or now - began >= RENEW_AFTER:
                        break
        except LocumError as error:
            self._say(f"The revocation stream is away: {error} The list is read instead.")
        if self._ended.is_set():
            return
        asked = self._clock()
        try:
            self.revocations.hear_list(self._fetch_list(), asked)
        except LocumError as error:
            self._say(f"Nothing is known of revocations: {error} Backups are refused.")

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.turn()
            except Exception:
                _log.exception("following revocations failed; it is tried again")
            self._ended.wait(PAUSE_SECONDS)

    def _say(self, what: str) -> None:
        if what and what != self._said:
            self._notice(what)
        self._said = what


@contextmanager
def following(
    url: str, issuer_pem: str, *, ca_file: str = "", stale_after: timedelta = STALE_AFTER
) -> Iterator[RevokedSerials]:
    """Follow one Locum while the context is open; gives what is revoked.

    Args:
        url: Locum's origin.
        issuer_pem: its issuing authority, as `/pki/ca.pem` gives it, kept with your configuration.
        ca_file: who vouches for Locum's own TLS certificate; empty: whom the system trusts.

    Raises:
        MalformedInput: one of them cannot be used.
    """
    published = Published(url, ca_file)
    try:
        revocations = RevokedSerials(Issuer(issuer_pem), stale_after=stale_after)
        with Follower(revocations, published.lines, published.revocation_list):
            yield revocations
    finally:
        published.close()
