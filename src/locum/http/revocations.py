"""`GET /v1/revocations`: a stream of server-sent events, for guards.

It needs no authentication: the serial numbers stand in the public revocation list, too. A guard
that hears no beat for some seconds knows that it is blind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from weakref import WeakSet

import anyio.to_thread
import msgspec
import structlog
from litestar import get
from litestar.response import Stream

from locum.http.face import Face, Incoming, face_of, source_of
from locum.model.refusal import TooMany
from locum.service.revocation_feed import BACK, Revocation, RevocationFeed

_log = structlog.get_logger("locum.revocations")
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
        # Held by the streams alone: one that is never begun, or is dropped, takes its place along.
        self._queues: WeakSet[asyncio.Queue[Revocation | None]] = WeakSet()
        self._looking: asyncio.Task[None] | None = None

    def join(self, since: datetime | None) -> AsyncIterator[bytes]:
        """Give events until the listener goes away.

        Args:
            since: only what was revoked after it, of what stands at the beginning.

        Raises:
            TooMany: as many as this process serves are here.
        """
        if len(self._queues) >= MOST:
            raise TooMany("Too many listen already.", "Come back, or ask another replica.", 5)
        queue: asyncio.Queue[Revocation | None] = asyncio.Queue(_WAITING)
        self._queues.add(queue)
        return self._listen(queue, since)

    async def _listen(
        self, queue: asyncio.Queue[Revocation | None], since: datetime | None
    ) -> AsyncIterator[bytes]:
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

    async def _look(self) -> None:
        """Look again and again while somebody listens; a store that fails ends every stream."""
        try:
            while self._queues:
                for one in await anyio.to_thread.run_sync(self._feed.news):
                    for queue in list(self._queues):
                        self._tell(queue, one)
                await asyncio.sleep(LOOK_SECONDS)
        except Exception as error:
            # Without this look a listener would hear beats and nothing else.
            _log.error("revocations.blind", kind=type(error).__name__, exc_info=error)
        finally:
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
    stream = listeners.join(_since(request.headers.get("last-event-id", "")))
    return Stream(
        stream,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _since(text: str) -> datetime | None:
    """The instant that an event's id stands for, a little before it; `None` for no or an odd id."""
    try:
        at = datetime.fromisoformat(text)
        return at - BACK if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _event(one: Revocation) -> bytes:
    body = msgspec.json.encode(one).decode()
    return f"id: {one.at.isoformat()}\nevent: revoked\ndata: {body}\n\n".encode()


routes = [revocations]
