"""Errors as RFC 9457 problem documents, mapped in one place.

A problem says what is wrong, which law, and what to do next. What went wrong inside Locum is said
as that and nothing more; its cause is in the log under the same reference.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from locum.ledger.errors import LedgerError, MalformedArtefact
from locum.model.refusal import (
    Breach,
    Conflict,
    LocumError,
    MalformedInput,
    NotFound,
    RefusedError,
    StorageError,
    TooMany,
    TransitionNotAllowed,
    Unauthenticated,
    Unavailable,
    Unconfirmed,
)

_log = structlog.get_logger("locum.http")

_STATUS: tuple[tuple[type[LocumError], int, str, str], ...] = (
    (MalformedInput, 400, "malformed", "The input cannot be read"),
    (MalformedArtefact, 400, "malformed", "The input cannot be read"),
    (Unauthenticated, 401, "unauthenticated", "The caller is not proved"),
    (RefusedError, 403, "refused", "The laws refuse"),
    (NotFound, 404, "not-found", "There is no such thing"),
    (Conflict, 409, "conflict", "Somebody else was faster"),
    (TransitionNotAllowed, 409, "not-allowed-now", "Its state does not allow this"),
    (TooMany, 429, "throttled", "Too many calls"),
    (Unconfirmed, 503, "unconfirmed", "The record was not confirmed in time"),
    (StorageError, 503, "not-recorded", "The record cannot be kept"),
    (Unavailable, 503, "unavailable", "Something that is needed cannot be reached"),
    (LedgerError, 503, "ledger", "The ledger cannot be read"),
)


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
    breaches: tuple[dict[str, Any], ...] = ()


def problem_of(error: LocumError) -> Problem:
    """The problem document of an error."""
    for kind, status, word, title in _STATUS:
        if isinstance(error, kind):
            breaches = error.breaches if isinstance(error, RefusedError) else ()
            return Problem(
                f"urn:locum:problem:{word}",
                title,
                status,
                error.fact,
                error.remedy,
                tuple(_breach(breach) for breach in breaches),
            )
    return Problem("urn:locum:problem:refused", "Refused", 403, error.fact, error.remedy)


def answer_error(_request: Request[Any, Any, Any], error: LocumError) -> Response[bytes]:
    """Answer with an error of ours, for the framework."""
    return error_answer(error)


def error_answer(error: LocumError) -> Response[bytes]:
    """Answer with an error of ours."""
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'DPoP algs="ES256 Ed25519"'
    return _respond(problem_of(error), headers)


def answer_http_error(_request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer with an error of the web framework: unknown path, wrong method, bad body."""
    extra = error.extra if isinstance(error.extra, list) else []
    details = "; ".join(
        f"{one.get('key', 'body')}: {one.get('message', '')}" for one in extra if one
    )
    problem = Problem(
        "about:blank",
        error.detail if error.status_code != 400 else "The input cannot be read",
        error.status_code,
        details or error.detail,
        "See /openapi.json for what this endpoint takes.",
    )
    return _respond(problem, dict(error.headers or {}))


def answer_depth(_request: Request[Any, Any, Any], _error: RecursionError) -> Response[bytes]:
    """Answer a body that is nested too deep to be read."""
    return error_answer(too_deep())


def too_deep() -> MalformedInput:
    """The refusal of a body that is nested too deep."""
    return MalformedInput("The body is nested too deep.", "See /openapi.json for its form.")


def answer_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer that Locum itself failed, for the framework."""
    return bug_answer(request.url.path, error)


def bug_answer(path: str, error: Exception) -> Response[bytes]:
    """Answer that Locum itself failed; nothing of the cause leaves it."""
    _log.error("call.failed", path=path, kind=type(error).__name__, exc_info=error)
    problem = Problem(
        "urn:locum:problem:internal",
        "Locum failed",
        500,
        "Locum failed on this call; whether it was recorded is not known.",
        "Look at the state before trying again; the operator finds the cause in the log.",
    )
    return _respond(problem, {})


def _breach(breach: Breach) -> dict[str, Any]:
    return {
        "law": int(breach.law),
        "name": breach.law.name.lower().replace("_", "-"),
        "fact": breach.fact,
        "remedy": breach.remedy,
        "field": breach.field,
        "clauses": list(breach.clauses),
    }


def _respond(problem: Problem, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )


JSON = MediaType.JSON
