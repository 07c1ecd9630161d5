"""The front's end of the socket pair: calls out, answers in, and what follows an answer."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from locum.http.frames import (
    Answered,
    Call,
    Frames,
    GoneCall,
    Part,
    Trusting,
    answers_in,
    framed,
)
from locum.model.refusal import Unavailable

_BEHIND = 10_000
"""Parts that a listener may fall behind."""


class Wire(asyncio.Protocol):
    """The front's end of the socket pair: calls out, answers in."""

    def __init__(self) -> None:
        self.ended, self.authorities = asyncio.Event(), ""
        self._frames, self._numbers = Frames(), itertools.count()
        self._asked: dict[int, asyncio.Future[Answered]] = {}
        self._parts: dict[int, asyncio.Queue[Part | None]] = {}
        self._out: list[Call] = []
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for frame in self._frames.fed(data):
            for answer in answers_in(frame):
                match answer:
                    case Trusting():
                        self.authorities = answer.authorities
                    case Part():
                        self._part(answer)
                    case Answered():
                        self._answered(answer)

    def _answered(self, answer: Answered) -> None:
        waiting = self._asked.pop(answer.number, None)
        wanted = waiting is not None and not waiting.done()
        if answer.more and wanted:
            self._parts[answer.number] = asyncio.Queue(_BEHIND)
        elif answer.more:
            self.leave(answer.number)
        if waiting is not None and wanted:
            waiting.set_result(answer)

    def _part(self, part: Part) -> None:
        parts = self._parts.get(part.number)
        if parts is None:
            return
        if parts.full():  # a listener that reads too slowly is cut off, and comes back
            self.leave(part.number)
            parts.get_nowait()
            parts.put_nowait(None)
        else:
            parts.put_nowait(part)

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended.set()
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(_gone())
        for parts in self._parts.values():
            if parts.full():
                parts.get_nowait()
            parts.put_nowait(None)

    def parts(self, number: int) -> asyncio.Queue[Part | None]:
        """What follows an answer that has more; `None` where it was cut off."""
        return self._parts[number]

    def leave(self, number: int) -> None:
        """Say that nobody waits for the rest of an answer."""
        self._parts.pop(number, None)
        if not self.ended.is_set():
            self._put(GoneCall(number))

    def number(self) -> int:
        """A number for the next call."""
        return next(self._numbers)

    async def ask(self, call: Call) -> Answered:
        """Send a call and wait for its answer; calls of one turn of the loop go together.

        Raises:
            Unavailable: the deciding process went away; whether it happened is not known.
        """
        if self.ended.is_set():
            raise _gone()
        self._put(call)
        waiting: asyncio.Future[Answered] = self._loop.create_future()
        self._asked[call.number] = waiting
        try:
            return await waiting
        finally:
            self._asked.pop(call.number, None)

    def _put(self, call: Call) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(call)

    def _flush(self) -> None:
        calls, self._out = self._out, []
        self._transport.write(framed(calls))


def _gone() -> Unavailable:
    return Unavailable(
        "The deciding process went away; whether it was recorded is not known.",
        "Look at the state before trying again; use the same Idempotency-Key.",
    )
