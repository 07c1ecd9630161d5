"""`GET /v1/revocations`: a stream of server-sent events, for guards.

It needs no authentication: the serial numbers stand in the public revocation list, too. A guard
that hears no beat for some seconds knows that it is blind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime

import anyio.to_thread
import msgspec
from litestar import get
from litestar.response import Stream

from locum.http.face import Face, Incoming, face_of, source_of
from locum.model.refusal import LocumError, TooMany
from locum.service.revocation_feed import BACK, Revocation, RevocationFeed

LOOK_SECONDS = 0.05
BEAT_SECONDS = 0.5
MOST = 1_000
"""Streams that one process serves at once."""

_WAITING = 10_000
"""Events that a listener may fall behind; one that does is cut off, and comes back."""


class Listeners:
    """Everybody who listens to this process, fed by one look at the store."""

    def __init__(self, face: Face) -> None:
        self._feed = RevocationFeed(face.locum)
        self._queues: set[asyncio.Queue[Revocation | None]] = set()
        self._looking: asyncio.Task[None] | None = None

    async def listen(self, since: datetime | None) -> AsyncIterator[bytes]:
        """Give events until the listener goes away.

        Args:
            since: only what was revoked after it, of what stands at the beginning.
        """
        queue: asyncio.Queue[Revocation | None] = asyncio.Queue(_WAITING)
        self._queues.add(queue)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            standing = await anyio.to_thread.run_sync(self._feed.standing)
            told = set()
            for one in standing:
                if since is None or one.at > since:
                    yield _event(one)
                told.add(one.serial)
            yield b": beat\n\n"
            while True:
                try:
                    one_more = await asyncio.wait_for(queue.get(), BEAT_SECONDS)
                except TimeoutError:
                    yield b": beat\n\n"
                    continue
                if one_more is None:
                    return
                if one_more.serial not in told:
                    yield _event(one_more)
        finally:
            self._queues.discard(queue)

    def demand_room(self) -> None:
        """Refuse one listener too many.

        Raises:
            TooMany: as many as this process serves are here.
        """
        if len(self._queues) >= MOST:
            raise TooMany("Too many listen already.", "Come back, or ask another replica.", 5)

    async def _look(self) -> None:
        """Look again and again while somebody listens; a store that fails ends every stream."""
        try:
            while self._queues:
                for one in await anyio.to_thread.run_sync(self._feed.news):
                    for queue in list(self._queues):
                        self._tell(queue, one)
                await asyncio.sleep(LOOK_SECONDS)
        except LocumError:
            for queue in list(self._queues):
                self._tell(queue, None)

    def _tell(self, queue: asyncio.Queue[Revocation | None], one: Revocation | None) -> None:
        try:
            queue.put_nowait(one)
        except asyncio.QueueFull:
            self._queues.discard(queue)
            with suppress(asyncio.QueueEmpty):
                queue.get_nowait()
            queue.put_nowait(None)


@get("/v1/revocations", summary="Revocations as they happen, for guards", sync_to_thread=False)
def revocations(request: Incoming) -> Stream:
    """Stream what is revoked, then what becomes so; `Last-Event-ID` says from where to go on."""
    listeners: Listeners = request.app.state["listeners"]
    face = face_of(request)
    face.throttle.take(f"source:{source_of(request)}", face.locum.clock())
    listeners.demand_room()
    stream = listeners.listen(_since(request.headers.get("last-event-id", "")))
    return Stream(
        stream,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _since(text: str) -> datetime | None:
    """The instant that an event's id stands for, a little before it; `None` for no or an odd id."""
    try:
        return datetime.fromisoformat(text) - BACK if text else None
    except ValueError:
        return None


def _event(one: Revocation) -> bytes:
    body = msgspec.json.encode(one).decode()
    return f"id: {one.at.isoformat()}\nevent: revoked\ndata: {body}\n\n".encode()


routes = [revocations]
