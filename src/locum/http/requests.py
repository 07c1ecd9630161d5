"""`/v1/requests`: ask, look, decide, open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import anyio.to_thread
import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from locum.http.face import (
    Call,
    Done,
    Incoming,
    ProvenCaller,
    act,
    admitted,
    attempt,
    deliver,
    face_of,
    respond,
)
from locum.http.views import OpenedView, Page, RequestView, grant_view, request_view
from locum.issue.signing_request import SigningRequest, read_signing_request
from locum.laws.permits import Refusal
from locum.model.cause import Cause, Evidence
from locum.model.names import Digest, PathName, RequestId
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.request import ask_of
from locum.service.activate import NotPrepared, Opened, activate_request
from locum.service.ask import Asked, make_request
from locum.service.caller import Caller, Proven, demand_own
from locum.service.credential import prepare
from locum.service.decide import Decision, decide_request
from locum.service.record import declared_then, request_row
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row

LONGEST_COMMENT = 2_000
Comment = Annotated[str, msgspec.Meta(max_length=LONGEST_COMMENT)]


class AskBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/requests` takes."""

    path: str
    cause: Cause
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    evidence: Evidence = Evidence()


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/requests/{id}/approvals` takes."""

    decision: Decision
    digest: str
    comment: Comment = ""


class ActivateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/requests/{id}/activate` takes. `deliver: false` opens the grant and leaves
    its credential to be taken by `POST /v1/grants/{id}/credential`. `csr` is a certificate signing
    request in PEM, where the path yields a certificate."""

    deliver: bool = True
    csr: str = ""


def path_name(text: str) -> PathName:
    """Read a path's name out of a call. Raises `MalformedInput`."""
    try:
        return PathName.parse(text)
    except ValueError as error:
        raise MalformedInput(f"{text!r} names no path: {error}.", "See `GET /v1/paths`.") from None


def _shown(request: Call, transaction: Transaction, row: Row) -> RequestView:
    locum = face_of(request).locum
    return request_view(row.state, declared_then(locum, transaction, ask_of(row.state).declaration))


@post("/", summary="Ask that a path be opened", status_code=201)
async def ask(
    request: Incoming, proven: ProvenCaller, data: JSONBody[AskBody]
) -> Response[RequestView]:
    """Make a request."""
    locum = face_of(request).locum
    asked = Asked(path_name(data.path), data.cause, data.reason, data.evidence)

    def verb(transaction: Transaction) -> Done | Refusal:
        row = make_request(locum, transaction, proven, asked)
        return row if isinstance(row, Refusal) else Done(201, _shown(request, transaction, row))

    return respond(await act(request, proven, verb))


@get("/", summary="Requests, newest first", sync_to_thread=True)
def index(
    request: Incoming,
    proven: ProvenCaller,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    path: FromQuery[str | None] = None,
    request_state: Annotated[str | None, QueryParameter(name="state")] = None,
) -> Page:
    """List requests."""
    name = None if path is None else path_name(path)

    def verb(transaction: Transaction, _caller: object) -> Page:
        found = transaction.requests(path=name, state=request_state, cursor=cursor, limit=limit)
        return Page([_shown(request, transaction, row) for row in found.rows], found.cursor)

    return admitted(request, proven, verb)


@get("/{request_id:str}", summary="One request", sync_to_thread=True)
def show(request: Incoming, proven: ProvenCaller, request_id: FromPath[str]) -> RequestView:
    """Show a request."""

    def verb(transaction: Transaction, caller: Caller) -> RequestView:
        row = request_row(transaction, RequestId(request_id))
        demand_own(caller, ask_of(row.state).path)
        return _shown(request, transaction, row)

    return admitted(request, proven, verb, workloads=True)


@post("/{request_id:str}/approvals", summary="Approve or deny", status_code=200)
async def decide(
    request: Incoming, proven: ProvenCaller, request_id: FromPath[str], data: JSONBody[DecisionBody]
) -> Response[RequestView]:
    """Approve or deny exactly the digest that is named."""
    locum = face_of(request).locum

    def verb(transaction: Transaction) -> Done | Refusal:
        row = decide_request(
            locum,
            transaction,
            proven,
            RequestId(request_id),
            data.decision,
            Digest(data.digest),
            data.comment,
        )
        return row if isinstance(row, Refusal) else Done(200, _shown(request, transaction, row))

    return respond(await act(request, proven, verb))


@post("/{request_id:str}/activate", summary="Open the path", status_code=201)
async def activate(
    request: Incoming,
    proven: ProvenCaller,
    request_id: FromPath[str],
    data: JSONBody[ActivateBody | None] = None,
) -> Response[OpenedView]:
    """Open the path; the credential is in the answer once, and never again."""
    return await open_path(request, proven, RequestId(request_id), data or ActivateBody())


def activate_path(request: RequestId) -> str:
    """Where a request is activated."""
    return f"/v1/requests/{request}/activate"


async def open_path(
    request: Call, proven: Proven, request_id: RequestId, body: ActivateBody
) -> Response[OpenedView]:
    """Open a path: at once where nothing is to be looked at, else after looking."""
    verb = opening(face_of(request).locum, proven, request_id, body, prepared=False)
    outcome = await attempt(request, proven, verb)
    if isinstance(outcome, NotPrepared):
        return await open_after_looking(request, proven, request_id, body, outcome)
    return await deliver(request, outcome)


async def open_after_looking(
    request: Call, proven: Proven, request_id: RequestId, body: ActivateBody, first: NotPrepared
) -> Response[OpenedView]:
    """Look at what opening needs on the network, then open."""
    locum = face_of(request).locum
    await anyio.to_thread.run_sync(prepare, locum, first.path, request_id, proven)
    verb = opening(locum, proven, request_id, body, prepared=True)
    return await deliver(request, await act(request, proven, _without_looking(verb)))


def opening(
    locum: Locum,
    proven: Proven,
    request_id: RequestId,
    body: ActivateBody,
    *,
    prepared: bool,
    read: SigningRequest | None = None,
) -> Callable[[Transaction], Done | NotPrepared | Refusal]:
    """The act that opens a path.

    Args:
        prepared: vault, target and primary were looked at for this call.
        read: the body's signing request, where it was read before.
    """

    csr = read or signing_request(body.csr)

    def verb(transaction: Transaction) -> Done | NotPrepared | Refusal:
        opened = activate_request(
            locum, transaction, proven, request_id, take=body.deliver, prepared=prepared, csr=csr
        )
        if not isinstance(opened, Opened):
            return opened
        return Done(201, OpenedView(grant_view(opened.row.state), None), opened)

    return verb


def signing_request(text: str) -> SigningRequest | None:
    """Read the signing request of a call; `None` where it has none.

    Raises:
        MalformedInput: it is none, or one that nothing is signed for.
    """
    return read_signing_request(text) if text else None


def _without_looking(
    verb: Callable[[Transaction], Done | NotPrepared | Refusal],
) -> Callable[[Transaction], Done | Refusal]:
    def whole(transaction: Transaction) -> Done | Refusal:
        outcome = verb(transaction)
        if isinstance(outcome, NotPrepared):
            raise Unavailable("The path is still not looked at.", "Try again.")
        return outcome

    return whole


router = Router("/v1/requests", route_handlers=[ask, index, show, decide, activate])
