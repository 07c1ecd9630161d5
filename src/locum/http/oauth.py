"""`/oauth/…`: access tokens for callers; introspection and revocation of leased tokens.

RFC 8414, RFC 6749 §4.4 with the registered key as the client's credential (shown by DPoP),
RFC 7662, RFC 7009, RFC 7517. Errors on these endpoints are those of RFC 6749 §5.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from locum.http.access_token import LIFE
from locum.http.face import Call, Incoming, body_of, face_of, headers_of, prove, source_of
from locum.http.problems import JSON
from locum.model.refusal import (
    LocumError,
    MalformedInput,
    StorageError,
    TooMany,
    Unavailable,
)
from locum.service.caller import admit
from locum.service.tokens import introspect_token, revoke_token
from locum.store.records import Token

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class Introspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 7662 §2.2; an inactive token says nothing else."""

    active: bool
    sub: str = ""
    token_type: str = ""
    exp: int = 0
    iat: int = 0
    cnf: Mapping[str, str] = {}
    aud: list[str] = []
    scope: str = ""
    grant: str = ""


_NO_STORE = {"Cache-Control": "no-store"}


@post("/oauth/token", summary="An access token for a registered key", status_code=200)
async def token(request: Incoming) -> Response[Any]:
    """Give an access token bound to the key that the DPoP proof shows."""
    face, source = face_of(request), source_of(request)
    now = face.locum.clock()
    form = dict(parse_qsl((await request.body()).decode("ascii", "replace")))
    if form.get("grant_type") != "client_credentials":
        return _error(400, "unsupported_grant_type", "Use grant_type=client_credentials.")
    try:
        face.throttle.take(f"source:{source}", now)
        proven, _ = face.proofs.verify(
            headers_of(request).get("dpop"),
            "POST",
            request.url.path,
            now,
            token=None,
            source=source,
        )
        caller = await asyncio.wrap_future(
            face.locum.store.act(
                lambda transaction: admit(
                    transaction, face.locum.estate.now, proven, now, spend=True
                )
            )
        )
    except LocumError as error:
        return oauth_error(error)
    issued = face.tokens.issue(proven.jkt, caller.identity, now)
    answer = {
        "access_token": issued,
        "token_type": "DPoP",
        "expires_in": int(LIFE.total_seconds()),
    }
    return Response(msgspec.json.encode(answer), media_type=JSON, headers=_NO_STORE)


@post("/oauth/introspect", summary="Is this leased token live", status_code=200)
async def introspect(request: Incoming) -> Response[Any]:
    """Tell an authenticated resource server whether a leased token is live right now."""
    return await answered(request, introspect_call)


@post("/oauth/revoke", summary="Revoke a leased token", status_code=200)
async def revoke(request: Incoming) -> Response[Any]:
    """Close the grant of a leased token; unknown tokens are answered alike (RFC 7009 §2.2)."""
    return await answered(request, _revoke)


async def answered(request: Call, verb: Any) -> Response[Any]:
    """Run an OAuth verb for a proved caller, with the errors of RFC 6749."""
    try:
        text = token_asked_about(await body_of(request))
        return given(await verb(request, prove(request), text))
    except LocumError as error:
        return oauth_error(error)


def token_asked_about(body: bytes) -> str:
    """The `token` of a form.

    Raises:
        MalformedInput: there is none.
    """
    text = dict(parse_qsl(body.decode("ascii", "replace"))).get("token", "")
    if not text:
        raise MalformedInput("There is no token in the form.", "Send `token`.")
    return text


def given(answer: Introspection | dict[str, str]) -> Response[bytes]:
    """The answer to a verb that went well."""
    return Response(msgspec.json.encode(answer), media_type=JSON, headers=_NO_STORE)


def oauth_error(error: LocumError) -> Response[bytes]:
    """An error of ours as RFC 6749 §5.2 says it."""
    match error:
        case TooMany():
            later = {"Retry-After": str(error.retry_after)}
            return _error(429, "temporarily_unavailable", str(error), later)
        case MalformedInput():
            return _error(400, "invalid_request", str(error))
        case StorageError() | Unavailable():
            return _error(503, "temporarily_unavailable", str(error))
        case _:
            return _error(401, "invalid_client", str(error))


async def introspect_call(request: Call, proven: Any, text: str) -> Introspection:
    """Introspect a token for a proved caller."""
    locum = face_of(request).locum
    return introspection(
        locum.store.look(lambda transaction: introspect_token(locum, transaction, proven, text))
    )


def introspection(found: Token | None) -> Introspection:
    """What is said of a token; of one that is not live, nothing."""
    if found is None:
        return Introspection(active=False)
    return Introspection(
        active=True,
        sub=found.identity,
        token_type="DPoP",
        exp=int(found.expires_at.timestamp()),
        iat=int(found.issued_at.timestamp()),
        cnf={"jkt": found.jkt},
        grant=found.grant,
    )


async def _revoke(request: Call, proven: Any, text: str) -> dict[str, str]:
    locum = face_of(request).locum
    await asyncio.wrap_future(
        locum.store.act(lambda transaction: revoke_token(locum, transaction, proven, text))
    )
    return {}


@get("/oauth/jwks", summary="The keys that sign access tokens")
async def jwks(request: Incoming) -> dict[str, Any]:
    """The JWK set."""
    return face_of(request).tokens.public()


@get("/.well-known/oauth-authorization-server", summary="RFC 8414 metadata")
async def metadata(request: Incoming) -> dict[str, Any]:
    """The authorization server's metadata."""
    origin = request.app.state["origin"]
    return {
        "issuer": origin,
        "token_endpoint": f"{origin}/oauth/token",
        "introspection_endpoint": f"{origin}/oauth/introspect",
        "revocation_endpoint": f"{origin}/oauth/revoke",
        "jwks_uri": f"{origin}/oauth/jwks",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": ["ES256", "Ed25519"],
    }


def _error(
    status: int, code: str, description: str, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    body = msgspec.json.encode({"error": code, "error_description": description})
    return Response(
        body, status_code=status, media_type=JSON, headers={**_NO_STORE, **(headers or {})}
    )


routes = [token, introspect, revoke, jwks, metadata]
