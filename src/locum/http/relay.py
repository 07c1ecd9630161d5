"""A front's call, run by the application here: its answer goes back in one part or in many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from litestar.types import ASGIApp

from locum.http.frames import Answered, Part, RelayCall
from locum.http.peer import EXTENSION

_log = structlog.get_logger("locum.fronts")


async def relayed(
    app: ASGIApp, call: RelayCall, gone: asyncio.Event, put: Callable[[Answered | Part], None]
) -> None:
    """Run a call.

    Args:
        gone: set when whoever called has left.
        put: takes the answer, and the parts that follow it.

    Raises:
        Exception: a bug, before the answer began; one after it ends the answer.
    """
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": call.path,
        "raw_path": call.path.encode(),
        "query_string": call.query,
        "root_path": "",
        "headers": list(call.headers),
        "client": (call.source, 0),
        "server": None,
        "state": {},
        "extensions": {EXTENSION: {"client_certificate": call.peer}} if call.peer else {},
    }
    unread = [{"type": "http.request", "body": call.body, "more_body": False}]
    head: Any = None
    begun = False

    async def receive() -> Any:
        if unread:
            return unread.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal head, begun
        if message["type"] == "http.response.start":
            head = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if begun:
            put(Part(call.number, body, more))
        else:
            begun = True
            put(Answered(call.number, head["status"], tuple(head["headers"]), body, more))

    try:
        await app(scope, receive, send)  # type: ignore[arg-type]
    except Exception as error:
        if not begun:
            raise
        _log.error("answer.broken", path=call.path, kind=type(error).__name__, exc_info=error)
        put(Part(call.number, b"", False))
