"""`/v1/grants`: watch, take the credential, close, review."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import anyio.to_thread
import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from locum.http.face import Done, Incoming, ProvenCaller, act, admitted, deliver, face_of, respond
from locum.http.requests import Comment, path_name, signing_request
from locum.http.views import (
    CertificateView,
    GrantPage,
    GrantView,
    OpenedView,
    certificate_view,
    grant_view,
)
from locum.laws.permits import Refusal
from locum.model.names import GrantId
from locum.model.path import Path
from locum.model.refusal import MalformedInput
from locum.model.request import CloseReason, Verdict, ask_of, grant_of
from locum.service.activate import take_credential
from locum.service.caller import Caller, demand_own
from locum.service.close import BY_A_PERSON, close_by_caller
from locum.service.credential import prepare
from locum.service.cutover import cutover_seen, cutover_told
from locum.service.presenters import seen_presenter
from locum.service.record import declared_then, grant_row
from locum.service.review import review_grant
from locum.store.port import Transaction
from locum.store.records import Row


class CloseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/grants/{id}/close` takes; `how` is revoked, used-up or leaked."""

    reason: Comment = ""
    how: CloseReason = CloseReason.REVOKED


class TakeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/grants/{id}/credential` takes; `csr` where the path yields a certificate."""

    csr: str = ""


class CutoverBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/grants/{id}/cutover` takes from somebody who saw the new primary in use.

    Args:
        certificate: the certificate that was seen, PEM.
        seen: what saw it, e.g. `access.log of web-3`.
    """

    certificate: str
    seen: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ReviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/grants/{id}/review` takes."""

    verdict: Verdict
    comment: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


@get("/", summary="Grants, newest first", sync_to_thread=True)
def index(
    request: Incoming,
    proven: ProvenCaller,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    path: FromQuery[str | None] = None,
    grant_state: Annotated[str | None, QueryParameter(name="state")] = None,
) -> GrantPage:
    """List grants."""
    name = None if path is None else path_name(path)

    def verb(transaction: Transaction, _caller: object) -> GrantPage:
        found = transaction.requests(
            grants_only=True, path=name, state=grant_state, cursor=cursor, limit=limit
        )
        return GrantPage([grant_view(row.state) for row in found.rows], found.cursor)

    return admitted(request, proven, verb)


@get("/{grant_id:str}", summary="One grant", sync_to_thread=True)
def show(request: Incoming, proven: ProvenCaller, grant_id: FromPath[str]) -> GrantView:
    """Show a grant."""
    return admitted(
        request,
        proven,
        lambda transaction, caller: grant_view(_own(transaction, caller, grant_id).state),
        workloads=True,
    )


@get("/{grant_id:str}/certificates", summary="A grant's certificates", sync_to_thread=True)
def certificates(
    request: Incoming, proven: ProvenCaller, grant_id: FromPath[str]
) -> list[CertificateView]:
    """Show what was issued under a grant, the oldest first."""

    def verb(transaction: Transaction, caller: Caller) -> list[CertificateView]:
        grant = grant_of(_own(transaction, caller, grant_id).state)
        found = () if grant is None else transaction.certificates_of(grant.id)
        return [certificate_view(row) for row in found]

    return admitted(request, proven, verb, workloads=True)


def _own(transaction: Transaction, caller: Caller, grant: str) -> Row:
    row = grant_row(transaction, GrantId(grant))
    demand_own(caller, ask_of(row.state).path)
    return row


@post("/{grant_id:str}/credential", summary="Take the credential, once", status_code=201)
async def take(
    request: Incoming,
    proven: ProvenCaller,
    grant_id: FromPath[str],
    data: JSONBody[TakeBody | None] = None,
) -> Response[OpenedView]:
    """Take the credential of an open grant; it is in the answer once, and never again."""
    locum, grant = face_of(request).locum, GrantId(grant_id)
    csr = signing_request(data.csr if data is not None else "")

    def find(transaction: Transaction, caller: Caller) -> Path:
        row = _own(transaction, caller, grant_id)
        return declared_then(locum, transaction, ask_of(row.state).declaration)

    looked_up = partial(admitted, request, proven, find, workloads=True)
    path: Path = await anyio.to_thread.run_sync(looked_up)
    await anyio.to_thread.run_sync(prepare, locum, path, grant_id, proven)

    def verb(transaction: Transaction) -> Done | Refusal:
        opened = take_credential(locum, transaction, proven, grant, csr)
        if isinstance(opened, Refusal):
            return opened
        return Done(201, OpenedView(grant_view(opened.row.state), None), opened)

    return await deliver(request, await act(request, proven, verb))


@post("/{grant_id:str}/close", summary="End the grant now", status_code=200)
async def close(
    request: Incoming,
    proven: ProvenCaller,
    grant_id: FromPath[str],
    data: JSONBody[CloseBody | None] = None,
) -> Response[GrantView]:
    """Close a grant; its credential is dead as soon as `dead` says so."""
    locum, body = face_of(request).locum, data or CloseBody()
    if body.how not in BY_A_PERSON:
        raise MalformedInput(
            f"`how` cannot be {body.how.value}.", "Say revoked, used-up or leaked."
        )

    def verb(transaction: Transaction) -> Done:
        row = close_by_caller(locum, transaction, proven, GrantId(grant_id), body.how, body.reason)
        return Done(200, grant_view(row.state))

    return respond(await act(request, proven, verb))


@post("/{grant_id:str}/cutover", summary="The new primary is in use", status_code=200)
async def cutover(
    request: Incoming,
    proven: ProvenCaller,
    grant_id: FromPath[str],
    data: JSONBody[CutoverBody | None] = None,
) -> Response[GrantView]:
    """End a rotation: told over mTLS with the new primary certificate, or by who saw it in use."""
    locum, grant = face_of(request).locum, GrantId(grant_id)
    if data is None:
        told = partial(cutover_told, locum, proven=proven, grant=grant)
    else:
        presenter = await anyio.to_thread.run_sync(seen_presenter, locum, data.certificate)
        told = partial(
            cutover_seen, locum, proven=proven, grant=grant, presenter=presenter, seen=data.seen
        )

    def verb(transaction: Transaction) -> Done | Refusal:
        row = told(transaction=transaction)
        return row if isinstance(row, Refusal) else Done(200, grant_view(row.state))

    return respond(await act(request, proven, verb))


@post("/{grant_id:str}/review", summary="Judge the grant", status_code=200)
async def review(
    request: Incoming, proven: ProvenCaller, grant_id: FromPath[str], data: JSONBody[ReviewBody]
) -> Response[GrantView]:
    """Judge a closed grant, which unblocks its path."""
    locum = face_of(request).locum

    def verb(transaction: Transaction) -> Done | Refusal:
        row = review_grant(
            locum, transaction, proven, GrantId(grant_id), data.verdict, data.comment
        )
        return row if isinstance(row, Refusal) else Done(200, grant_view(row.state))

    return respond(await act(request, proven, verb))


router = Router(
    "/v1/grants", route_handlers=[index, show, certificates, take, close, cutover, review]
)
