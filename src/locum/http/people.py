"""`/v1/invitations`, `/v1/keys`: how people come to hold a key, and lose it."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody

from locum.http.face import (
    Incoming,
    ProvenCaller,
    admitted,
    call_digest,
    checked_key,
    face_of,
    headers_of,
    source_of,
)
from locum.model.names import IdentityName
from locum.model.secret import Secret
from locum.service.people import Call, invite, register_key, revoke_key
from locum.store.port import Transaction


class InviteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/invitations` takes; `conditions` are what the administrator vouches for."""

    identity: str
    conditions: list[str] = []


class InvitationView(msgspec.Struct, frozen=True):
    """A fresh invitation; its code is shown this once."""

    identity: str
    code: str
    ends_at: datetime


class RegisterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/keys` takes, together with a DPoP proof by the key to register."""

    invitation: str


class KeyView(msgspec.Struct, frozen=True):
    """A registered key."""

    jkt: str
    identity: str
    registered_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    conditions: list[str]


@post("/v1/invitations", summary="Invite a person (administrators)", status_code=201)
async def invitations(
    request: Incoming, proven: ProvenCaller, data: JSONBody[InviteBody]
) -> InvitationView:
    """Invite somebody of the estate to register a key.

    The same call again, by its `Idempotency-Key`, ends the invitation that it gave and gives a
    fresh one; if that was used or has ended, the answer is 409.
    """
    locum, call = face_of(request).locum, await _call(request)
    code, ends = await asyncio.wrap_future(
        locum.store.act(
            lambda transaction: invite(
                locum,
                transaction,
                proven,
                IdentityName(data.identity),
                frozenset(data.conditions),
                call,
            )
        )
    )
    return InvitationView(data.identity, code.reveal(), ends)


async def _call(request: Incoming) -> Call | None:
    key = checked_key(request.headers.get("idempotency-key", ""))
    asked = call_digest(request.method, request.url.path, await request.body())
    return Call(key, asked) if key else None


@post("/v1/keys", summary="Register a key against an invitation", status_code=201)
async def register(request: Incoming, data: JSONBody[RegisterBody]) -> KeyView:
    """Register the key whose possession the DPoP proof shows; needs no access token."""
    face, source = face_of(request), source_of(request)
    now = face.locum.clock()
    face.throttle.take(f"source:{source}", now)
    face.throttle.take(f"register:{source}", now)
    proven, key = face.proofs.verify(
        headers_of(request).get("dpop"), "POST", request.url.path, now, token=None, source=source
    )
    jwk = msgspec.json.encode(key.as_dict(private=False), order="deterministic")

    def verb(transaction: Transaction) -> KeyView:
        registered = register_key(
            face.locum, transaction, Secret(data.invitation), proven.jkt, jwk, source
        )
        return KeyView(
            registered.jkt,
            registered.identity,
            registered.registered_at,
            registered.expires_at,
            None,
            sorted(registered.conditions),
        )

    return await asyncio.wrap_future(face.locum.store.act(verb))


@get("/v1/keys", summary="One's own keys", sync_to_thread=True)
def keys(request: Incoming, proven: ProvenCaller) -> list[KeyView]:
    """List every key that was ever registered for the caller (EVT-1)."""
    return admitted(
        request,
        proven,
        lambda transaction, caller: [
            KeyView(
                key.jkt,
                key.identity,
                key.registered_at,
                key.expires_at,
                key.revoked_at,
                sorted(key.conditions),
            )
            for key in transaction.callers_of(caller.identity)
        ],
    )


@delete("/v1/keys/{jkt:str}", summary="Revoke a key", status_code=200)
async def revoke(request: Incoming, proven: ProvenCaller, jkt: FromPath[str]) -> Response[None]:
    """Revoke one's own key, or as an administrator anybody's."""
    locum = face_of(request).locum
    await asyncio.wrap_future(
        locum.store.act(lambda transaction: revoke_key(locum, transaction, proven, jkt))
    )
    return Response(None, status_code=204)


routes = [invitations, register, keys, revoke]
