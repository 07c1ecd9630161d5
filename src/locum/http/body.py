"""The body of a call that came past the framework."""

from __future__ import annotations

from typing import Any

from litestar.types import Receive

from locum.model.refusal import MalformedInput


async def body_within(receive: Receive, largest: int) -> bytes:
    """Read a body whole, or as much of it as shows that it is longer than `largest` bytes.

    Raises:
        MalformedInput: the caller went away before it was whole.
    """
    content, more = b"", True
    while more and len(content) <= largest:
        message: Any = await receive()
        if message["type"] != "http.request":
            raise MalformedInput("The call was cut off, and nothing was done.", "Send it again.")
        content += message.get("body", b"")
        more = message.get("more_body", False)
    return content
