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

from locum.http.face import Face, ShortCall, prove
from locum.http.oauth import answered, introspect_call
from locum.http.problems import bug_answer, error_answer, too_deep
from locum.http.requests import ActivateBody, open_path
from locum.model.names import RequestId
from locum.model.refusal import LocumError, MalformedInput

_REQUESTS, _ACTIVATE = "/v1/requests/", "/activate"
_INTROSPECT = "/oauth/introspect"
_bodies = msgspec.json.Decoder(ActivateBody)


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
        path: str = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
        elif path == _INTROSPECT:
            await self._answer(scope, receive, send, None)
        elif path.startswith(_REQUESTS) and path.endswith(_ACTIVATE):
            name = path[len(_REQUESTS) : -len(_ACTIVATE)]
            await self._answer(scope, receive, send, RequestId(name))
        else:
            await self._app(scope, receive, send)

    async def _answer(
        self, scope: Any, receive: Receive, send: Send, request: RequestId | None
    ) -> None:
        try:
            call = await self._call(scope, receive)
            if request is None:
                answer = await answered(call, introspect_call)
            else:
                answer = await open_path(call, prove(call), request, _read(call.content))
        except LocumError as error:
            answer = error_answer(error)
        except Exception as error:  # a bug must answer, and must not say why
            answer = bug_answer(scope["path"], error)
        await _send(answer, send)

    async def _call(self, scope: Any, receive: Receive) -> ShortCall:
        content = b""
        more = True
        while more:
            message: Any = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
            if len(content) > self._largest:
                raise MalformedInput(
                    "The body is too large.", f"Send at most {self._largest} bytes."
                )
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope.get("client")
        source = client[0] if client else "unknown"
        return ShortCall(self._face, "POST", scope["path"], headers, source, content)


def _read(content: bytes) -> ActivateBody:
    if not content:
        return ActivateBody()
    try:
        return _bodies.decode(content)
    except RecursionError:
        raise too_deep() from None
    except msgspec.DecodeError as error:
        raise MalformedInput(f"The body cannot be read: {error}.", "See /openapi.json.") from None


async def _send(answer: Response[Any], send: Send) -> None:
    body: bytes = answer.content
    headers = [
        (b"content-type", str(answer.media_type or "application/json").encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in answer.headers.items()),
    ]
    await send(
        {"type": "http.response.start", "status": answer.status_code or 200, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
