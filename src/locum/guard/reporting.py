"""Tells Locum that a new primary certificate is in use, so that the backup ends at once.

A guard cannot know which grant a certificate ends: Locum shows a grant to its identity and to the
people concerned, not to guards. So whoever runs the rotation gives the guard the grant's id.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec

from locum.guard.certificate import Certificate
from locum.model.refusal import Unavailable

_MOST = 10_000
_log = logging.getLogger("locum.guard")


class Reports:
    """Calls a function once for each certificate, in a thread; again later if it failed.

    Args:
        report: is given the certificate; may wait.
    """

    def __init__(self, report: Callable[[Certificate], object]) -> None:
        self._report = report
        self._told: dict[str, None] = {}
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "locum-reports")

    def seen(self, certificate: Certificate) -> None:
        """Report a certificate, unless it was reported before; does not wait."""
        with self._lock:
            if certificate.fingerprint in self._told:
                return
            self._told[certificate.fingerprint] = None
            if len(self._told) > _MOST:
                del self._told[next(iter(self._told))]
        self._thread.submit(self._tell, certificate)

    def _tell(self, certificate: Certificate) -> None:
        try:
            self._report(certificate)
        except Exception:
            _log.exception("a certificate could not be reported; it is tried at the next call")
            with self._lock:
                self._told.pop(certificate.fingerprint, None)


class Reported(msgspec.Struct, frozen=True):
    """What Locum made of a report; `closed` says that the grant ended with it."""

    closed: bool
    detail: str


def report_cutover(
    locum: httpx.Client, grant: str, certificate: Certificate, seen: str = "guard"
) -> Reported:
    """Tell Locum that the new primary certificate was seen in use.

    Args:
        locum: a client of Locum's origin that shows the certificate of an identity which the
            path names in `cutover.guards`.
        grant: the id of the grant that it ends.
        seen: what saw it.

    Raises:
        Unavailable: Locum did not answer; nothing is known.
    """
    body = {"certificate": ssl.DER_cert_to_PEM_cert(certificate.der), "seen": seen}
    key = f"{grant}-{certificate.fingerprint}"
    try:
        answer = locum.post(
            f"/v1/grants/{grant}/cutover", json=body, headers={"Idempotency-Key": key}
        )
    except httpx.HTTPError as error:
        raise Unavailable(f"Locum did not answer: {type(error).__name__}.", "Try again.") from None
    if answer.status_code >= 500 or answer.status_code == 429:
        raise Unavailable(f"Locum answered {answer.status_code}.", "Try again.")
    return Reported(answer.is_success, "" if answer.is_success else _detail(answer))


def _detail(answer: httpx.Response) -> str:
    try:
        found = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw]).get("detail")
        return msgspec.json.decode(found, type=str) if found is not None else ""
    except (msgspec.MsgspecError, UnicodeError):
        return f"Locum answered {answer.status_code}."
