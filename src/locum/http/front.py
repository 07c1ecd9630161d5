"""A front: a process that speaks HTTP, proves callers, and asks the deciding process the rest.

Proving costs more than deciding, and it needs no store: so each further core may have a front.
Fronts share the listening port; when the deciding process goes, so do they.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import uvicorn
import uvloop
from joserfc.jwk import ECKey
from litestar.types import Receive, Send

from locum.http.access_token import AccessTokens
from locum.http.body import body_within
from locum.http.frames import (
    Answered,
    Call,
    CheckCall,
    Frames,
    FrontSettings,
    IssueCall,
    OpenCall,
    RelayCall,
    answered,
    settings_in,
)
from locum.http.hot import INTROSPECT, opening_body, opens
from locum.http.oauth import oauth_error, token_asked_about
from locum.http.peer import peer_of
from locum.http.problems import bug_answer, error_answer
from locum.http.proof import ProofVerifier
from locum.http.prover import Prover, by_primary, named_once
from locum.http.requests import signing_request
from locum.http.server import server_for
from locum.http.throttle import Throttle
from locum.http.wire import Wire
from locum.model.names import RequestId
from locum.model.refusal import LocumError

_CHUNK = 1 << 18


class Front:
    """The ASGI application of a front."""

    def __init__(self, wire: Wire, prover: Prover, largest: int) -> None:
        self._wire, self._prover, self._largest = wire, prover, largest

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer a call."""
        number = self._wire.number()
        try:
            body = await body_within(receive, self._largest)
            call = self._call(number, scope, body)
            answer = call if isinstance(call, Answered) else await self._wire.ask(call)
        except LocumError as error:
            answer = answered(number, error_answer(error))
        except Exception as error:  # a bug must answer, and must not say why
            answer = answered(number, bug_answer(scope["path"], error))
        head = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        await send(head)  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": answer.body, "more_body": answer.more})
        if answer.more:
            await self._rest(number, receive, send)

    async def _rest(self, number: int, receive: Receive, send: Send) -> None:
        """Send what follows, until it ends or nobody listens any more.

        An answer that was cut off is not ended, so the server drops its connection.
        """
        parts, left = self._wire.parts(number), asyncio.create_task(_left(receive))
        try:
            while True:
                coming = asyncio.create_task(parts.get())
                await asyncio.wait({coming, left}, return_when=asyncio.FIRST_COMPLETED)
                part = coming.result() if coming.done() else None
                if part is None:
                    coming.cancel()
                    return
                await send(
                    {"type": "http.response.body", "body": part.body, "more_body": part.more}
                )
                if not part.more:
                    return
        finally:
            left.cancel()
            self._wire.leave(number)

    def _call(self, number: int, scope: Any, body: bytes) -> Call | Answered:
        method, path, client = scope["method"], scope["path"], scope.get("client")
        source = client[0] if client else "unknown"
        request = opens(method, path)
        names = named_once(scope["headers"])
        peer = peer_of(scope)
        workload = by_primary(names, peer) is not None
        if workload and request is not None and peer and len(body) <= self._largest:
            issue = self._issue(number, request, names, source, peer, body)
            if issue is not None:
                return issue
        # The application refuses what is too large, by what is here, and knows the workloads.
        relayed = len(body) > self._largest or workload
        if relayed or (request is None and (method, path) != ("POST", INTROSPECT)):
            query, headers = scope["query_string"], tuple(scope["headers"])
            return RelayCall(number, method, path, query, headers, source, body, peer)
        if request is not None:
            proven = self._prover.prove(method, path, names, source)
            return OpenCall(number, proven, request, names.get("idempotency-key", ""), body)
        try:
            token = token_asked_about(body)
            return CheckCall(number, self._prover.prove(method, path, names, source), token)
        except LocumError as error:
            return answered(number, oauth_error(error))

    def _issue(
        self,
        number: int,
        request: RequestId,
        names: Mapping[str, str],
        source: str,
        peer: bytes,
        body: bytes,
    ) -> IssueCall | None:
        """A call with a signing request, read here; `None` where it is to be relayed."""
        if "authorization" in names:
            return None
        self._prover.throttle.take(f"source:{source}", self._prover.clock())
        csr = signing_request(opening_body(body).csr)
        if csr is None:
            return None
        key = names.get("idempotency-key", "")
        return IssueCall(number, peer, source, request, key, body, csr)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _prover(settings: FrontSettings) -> Prover:
    key = ECKey.import_key(settings.token_key)
    return Prover(
        lambda: datetime.now(UTC),
        ProofVerifier(settings.origin),
        AccessTokens(key, settings.origin),
        Throttle(settings.calls_per_second, settings.burst),
    )


def _told(pair: socket.socket) -> FrontSettings:
    """Read the one frame that a front is sent before it serves."""
    frames = Frames()
    while received := pair.recv(_CHUNK):
        for frame in frames.fed(received):
            return settings_in(frame)
    raise SystemExit("The deciding process went away before it said what to serve.")


async def serve(settings: FrontSettings, listening: socket.socket, pair: socket.socket) -> None:
    """Serve until the process is told to stop, or the deciding process is gone."""
    loop = asyncio.get_running_loop()
    pair.setblocking(False)
    transport, wire = await loop.create_connection(Wire, sock=pair)
    front = Front(wire, _prover(settings), settings.largest)
    wire.authorities = settings.authorities
    server = server_for(
        front, settings.certificate, settings.key, lambda: wire.authorities, lifespan="off"
    )
    end = asyncio.create_task(_end_with(wire, server))
    await server.serve(sockets=[listening])
    end.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await end
    transport.close()


async def _end_with(wire: Wire, server: uvicorn.Server) -> None:
    await wire.ended.wait()
    server.should_exit = True


def main() -> None:
    """Run a front on two inherited sockets: the listening one, and the pair's end."""
    listening, pair = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # reading the estate again is not its business
    settings = _told(pair)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, listening, pair))


if __name__ == "__main__":
    main()
