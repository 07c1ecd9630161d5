"""A call that is cut off before its body is whole is not acted on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from locum.http.body import body_within
from locum.model.refusal import MalformedInput


async def read(*messages: dict[str, Any], largest: int = 8) -> bytes:
    coming = iter(messages)

    async def receive() -> Any:
        return next(coming)

    return await body_within(receive, largest)


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_parts_are_put_together() -> None:
    assert asyncio.run(read(part(b"ab", more=True), part(b"cd", more=False))) == b"abcd"


@pytest.mark.parametrize("first", [(), (part(b"", more=True),), (part(b'{"a":', more=True),)])
def test_what_was_cut_off_is_not_taken_for_the_whole(first: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(MalformedInput, match="cut off"):
        asyncio.run(read(*first, {"type": "http.disconnect"}))


def test_no_more_is_read_than_shows_that_it_is_too_large() -> None:
    with_more = (part(b"12345", more=True), part(b"67890", more=True))  # a third would not come
    assert asyncio.run(read(*with_more)) == b"1234567890"
