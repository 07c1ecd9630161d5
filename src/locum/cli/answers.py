"""What an address, a server's answer or its silence means to the person who called."""

from __future__ import annotations

import errno
import ssl
from typing import NoReturn
from urllib.parse import urlsplit

import httpx
import msgspec

from locum.model.refusal import Breach, LocumError, MalformedInput, RefusedError, Unavailable


class _Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457), or an error of OAuth; what is missing stays empty."""

    title: str = ""
    detail: str = ""
    error_description: str = ""
    remedy: str = ""
    breaches: tuple[Breach, ...] = ()


class ApiError(LocumError):
    """A problem document of the server."""

    def __init__(self, status: int, fact: str, remedy: str) -> None:
        super().__init__(fact, remedy)
        self.status = status


def checked_origin(url: str) -> str:
    """An origin as proofs name it, from an address that a person typed.

    Raises:
        MalformedInput: it is none.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise MalformedInput(
            "That is not the address of a Locum.", "Write it as https://HOST[:PORT], as printed."
        )
    return url.rstrip("/")


def trusting(ca_file: str) -> ssl.SSLContext:
    """Trust the authorities of a PEM file, and no others.

    Raises:
        MalformedInput: it cannot be read, or is none.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl's own errors are such, too
        why = error.strerror if error.filename or error.errno == errno.ENOENT else "not PEM"
        raise MalformedInput(
            f"The authority in {ca_file} cannot be read ({why}).",
            "Name the PEM file of the authority that signed Locum's certificate: --ca-file.",
        ) from None


def unreached(origin: str, error: httpx.HTTPError) -> Unavailable:
    """Say why a server was not reached, as far as the connection tells."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unavailable(
            f"The certificate of {origin} is not trusted: {cause.verify_message}.",
            "Nothing was sent. If its authority is your own, name it: `--ca-file ca.pem`.",
        )
    if cause is not None:
        return Unavailable(
            f"{origin} does not speak TLS as expected.",
            "Is it http:// there, or another program on this port? Nothing was sent.",
        )
    return Unavailable(
        f"{origin} cannot be reached ({type(error).__name__}).",
        "Is `locum serve` running there, and the address right?",
    )


def raise_problem(answer: httpx.Response) -> NoReturn:
    """Raise what an answer that is no success says.

    Raises:
        RefusedError: the laws refuse.
        ApiError: anything else.
    """
    try:
        problem = msgspec.json.decode(answer.content, type=_Problem)
    except (msgspec.DecodeError, ValueError):
        problem = _Problem()
    if problem.breaches:
        raise RefusedError(problem.breaches)
    fact = problem.detail or problem.error_description or problem.title
    if fact:
        raise ApiError(answer.status_code, fact, problem.remedy)
    raise ApiError(
        answer.status_code,
        f"{answer.url.host} answered {answer.status_code} and not why.",
        "Is it Locum's own address? A proxy in between may answer for it.",
    )
