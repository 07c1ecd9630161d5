"""The short way: the two endpoints that are called most, past the framework's routing.

Opening a path and introspecting a token cost a fraction of what routing, dependency injection and
response rendering do. Only the way in and out is shorter: proofs, throttles, verbs and errors are
those of the framework's endpoints, which stay for everything else about them (OpenAPI, options).
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response
from litestar.types import ASGIApp, Receive, Send

from locum.http.body import body_within
from locum.http.face import Face, ShortCall, proved
from locum.http.frames import answered
from locum.http.oauth import answered as oauth_answered
from locum.http.oauth import introspect_call
from locum.http.peer import peer_of
from locum.http.problems import bug_answer, error_answer, too_deep
from locum.http.prover import named_once
from locum.http.requests import ActivateBody, open_path
from locum.model.names import RequestId
from locum.model.refusal import LocumError, MalformedInput

_REQUESTS, _ACTIVATE = "/v1/requests/", "/activate"
INTROSPECT = "/oauth/introspect"
_bodies = msgspec.json.Decoder(ActivateBody)


def opens(method: str, path: str) -> RequestId | None:
    """The request that a call opens; `None` where it is another call."""
    if method != "POST" or not (path.startswith(_REQUESTS) and path.endswith(_ACTIVATE)):
        return None
    return RequestId(path[len(_REQUESTS) : -len(_ACTIVATE)])


class ShortWay:
    """An ASGI application in front of another, which gets what has no short way.

    Args:
        app: the framework's application.
        face: what the endpoints work with.
        largest: the largest body, in bytes.
    """

    def __init__(self, app: ASGIApp, face: Face, largest: int) -> None:
        self._app, self._face, self._largest = app, face, largest

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = opens(scope["method"], scope["path"])
        if request is not None or (scope["method"], scope["path"]) == ("POST", INTROSPECT):
            await self._answer(scope, receive, send, request)
        else:
            await self._app(scope, receive, send)

    async def _answer(
        self, scope: Any, receive: Receive, send: Send, request: RequestId | None
    ) -> None:
        try:
            call = await self._call(scope, receive)
            if request is None:
                answer = await oauth_answered(call, introspect_call)
            else:
                proven = await proved(call)
                answer = await open_path(call, proven, request, opening_body(call.content))
        except LocumError as error:
            answer = error_answer(error)
        except Exception as error:  # a bug must answer, and must not say why
            answer = bug_answer(scope["path"], error)
        await _send(answer, send)

    async def _call(self, scope: Any, receive: Receive) -> ShortCall:
        content = await body_within(receive, self._largest)
        if len(content) > self._largest:
            raise MalformedInput("The body is too large.", f"Send at most {self._largest} bytes.")
        client = scope.get("client")
        source = client[0] if client else "unknown"
        return ShortCall(
            self._face,
            "POST",
            scope["path"],
            named_once(scope["headers"]),
            source,
            content,
            peer_of(scope),
        )


def opening_body(content: bytes) -> ActivateBody:
    """What a call that opens a path says; nothing says the defaults.

    Raises:
        MalformedInput: not the JSON that is expected.
    """
    if not content:
        return ActivateBody()
    try:
        return _bodies.decode(content)
    except RecursionError:
        raise too_deep() from None
    except msgspec.DecodeError as error:
        raise MalformedInput(f"The body cannot be read: {error}.", "See /openapi.json.") from None


async def _send(answer: Response[Any], send: Send) -> None:
    sent = answered(0, answer)
    await send({"type": "http.response.start", "status": sent.status, "headers": sent.headers})
    await send({"type": "http.response.body", "body": sent.body, "more_body": False})
