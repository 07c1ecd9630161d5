"""ASGI middleware: only who is admitted reaches the application; everybody else is told why not.

The client certificate stands in the scope, where `locum.guard.uvicorn` put it from the TLS
connection; nothing that a caller can send, such as a header, is looked at. A WebSocket is refused,
because no server puts its certificate there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from locum.guard.admission import Refused, admit
from locum.guard.reporting import Reports
from locum.guard.revocations import RevokedSerials

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

EXTENSION, FIELD = "tls", "client_certificate"


class RequireCertificate:
    """An application behind which only admitted certificates come.

    Args:
        app: the application.
        revocations: what is revoked; somebody must keep it up to date (`Follower`).
        clock: tells the time.
        reports: told of each primary certificate that is seen for the first time.
    """

    def __init__(
        self,
        app: Application,
        revocations: RevokedSerials,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        reports: Reports | None = None,
    ) -> None:
        self._app, self._revocations = app, revocations
        self._clock, self._reports = clock, reports

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one call, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        told = (scope.get("extensions") or {}).get(EXTENSION) or {}
        found = admit(told.get(FIELD) or b"", self._revocations, self._clock())
        if isinstance(found, Refused):
            await _refuse(found, send)
            return
        if self._reports is not None and not found.backup:
            self._reports.seen(found)
        await self._app(scope, receive, send)


async def _refuse(why: Refused, send: Send) -> None:
    body = msgspec.json.encode(
        {"title": "Refused", "status": 403, "detail": why.fact, "remedy": why.remedy}
    )
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
