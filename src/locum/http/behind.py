"""Behind the fronts: take their calls, decide, and answer when the record is durable.

Each front has two threads here: one takes its calls in and one sends its answers, so the calls
that are made most never meet the event loop. All others are run on it, as they came.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from litestar import Response
from litestar.types import ASGIApp

from locum.http.face import (
    Done,
    Face,
    Replayed,
    ShortCall,
    begin,
    call_digest,
    concluded,
    deliver,
    delivered_at_once,
)
from locum.http.frames import (
    Answered,
    CheckCall,
    Frames,
    FromBehind,
    GoneCall,
    IssueCall,
    OpenCall,
    RelayCall,
    Trusting,
    answered,
    calls_in,
    framed,
)
from locum.http.hot import opening_body
from locum.http.oauth import given, introspection, oauth_error
from locum.http.problems import bug_answer, error_answer
from locum.http.relay import relayed
from locum.http.requests import activate_path, open_after_looking, opening
from locum.issue.signing_request import SigningRequest
from locum.laws.permits import Refusal
from locum.model.refusal import LocumError
from locum.service.activate import NotPrepared
from locum.service.caller import Proven
from locum.service.tokens import introspect_token
from locum.store.port import Transaction

_log = structlog.get_logger("locum.fronts")
_CHUNK = 1 << 18
_TOGETHER = 256
Outcome = Done | Replayed | NotPrepared | Refusal


class Behind:
    """The deciding process's side of one front.

    Args:
        pair: this end of the socket pair.
        face: what the endpoints work with.
        app: the application, for every call that has no short way.
        loop: the event loop that the application runs on.
    """

    def __init__(
        self, pair: socket.socket, face: Face, app: ASGIApp, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._pair, self._face, self._app, self._loop = pair, face, app, loop
        self._answers: SimpleQueue[FromBehind | None] = SimpleQueue()
        self._gone: dict[int, asyncio.Event] = {}
        self._threads = [
            threading.Thread(target=what, name=name, daemon=True)
            for what, name in ((self._take, "front-calls"), (self._send, "front-answers"))
        ]

    def start(self) -> None:
        """Take calls until the front ends."""
        for thread in self._threads:
            thread.start()

    def trust(self, authorities: str) -> None:
        """Tell the front whose client certificates to take from now on."""
        self._answers.put(Trusting(authorities))

    def join(self) -> None:
        """Wait until the front has ended and its last answer is sent or cannot be."""
        for thread in self._threads:
            thread.join(timeout=10)
        self._pair.close()

    def _take(self) -> None:
        frames = Frames()
        try:
            while received := self._pair.recv(_CHUNK):
                for frame in frames.fed(received):
                    self._calls(frame)
        except OSError:
            pass  # the front is gone; its callers know nothing of it, and look again
        except Exception as error:
            _log.error("front.dropped", kind=type(error).__name__, exc_info=error)
        finally:
            self._answers.put(None)
            for number in list(self._gone):
                self._leave(number)

    def _leave(self, number: int) -> None:
        """Tell a running answer that nobody waits for it any more."""
        gone = self._gone.get(number)
        if gone is not None:
            self._loop.call_soon_threadsafe(gone.set)

    def _send(self) -> None:
        ended = False
        while not ended:
            together = [self._answers.get()]
            while len(together) < _TOGETHER:
                try:
                    together.append(self._answers.get_nowait())
                except Empty:
                    break
            ended = None in together
            try:
                self._pair.sendall(framed([one for one in together if one is not None]))
            except OSError:
                break
        # However it ended: a front whose calls nobody takes must end too, and is begun anew.
        with contextlib.suppress(OSError):
            self._pair.shutdown(socket.SHUT_RDWR)

    def _calls(self, frame: bytes) -> None:
        checks: list[CheckCall] = []
        for call in calls_in(frame):
            match call:
                case CheckCall():
                    checks.append(call)
                case OpenCall():
                    self._open(call, call.proven)
                case IssueCall():
                    self._issue(call)
                case RelayCall():
                    self._on_loop(call.number, call.path, self._relay(call))
                case GoneCall():
                    self._leave(call.number)
        if checks:
            self._check(checks)

    def _check(self, calls: Sequence[CheckCall]) -> None:
        """Answer all that came together from one snapshot; each by the clock of its own turn."""

        def one(transaction: Transaction, call: CheckCall) -> Response[bytes]:
            try:
                found = introspect_token(self._face.locum, transaction, call.proven, call.token)
                return given(introspection(found))
            except LocumError as error:
                return oauth_error(error)

        try:
            answers = self._face.locum.store.look(
                lambda transaction: [one(transaction, call) for call in calls]
            )
        except Exception as error:
            answers = [
                oauth_error(error)
                if isinstance(error, LocumError)
                else bug_answer("/oauth/introspect", error)
            ] * len(calls)
        for call, answer in zip(calls, answers, strict=True):
            self._answers.put(answered(call.number, answer))

    def _issue(self, call: IssueCall) -> None:
        """Open for a workload that is known; the application asks the network who it is."""
        prover = self._face.prover
        if prover.waits({}, call.peer):
            self._on_loop(call.number, activate_path(call.request), self._relay(_as_it_came(call)))
            return
        try:
            proven = prover.workload(call.peer, "", call.source, prover.clock())
        except LocumError as error:
            self._answers.put(answered(call.number, error_answer(error)))
        except Exception as error:  # one caller's certificate must not end the whole front
            self._answers.put(answered(call.number, bug_answer(activate_path(call.request), error)))
        else:
            self._open(call, proven, call.csr)

    def _open(
        self, call: OpenCall | IssueCall, proven: Proven, read: SigningRequest | None = None
    ) -> None:
        try:
            body, locum = opening_body(call.body), self._face.locum
            verb = opening(locum, proven, call.request, body, prepared=False, read=read)
            asked = call_digest("POST", activate_path(call.request), call.body)
            begun = begin(locum, proven, call.idempotency_key, asked, verb)
        except LocumError as error:
            self._answers.put(answered(call.number, error_answer(error)))
        except Exception as error:
            self._answers.put(answered(call.number, bug_answer(activate_path(call.request), error)))
        else:
            begun.add_done_callback(partial(self._opened, call, proven))

    def _opened(self, call: OpenCall | IssueCall, proven: Proven, begun: Future[Outcome]) -> None:
        """Answer what is durable now; runs in the writer's thread, so it only ever looks."""
        try:
            outcome = concluded(begun.result())
            if isinstance(outcome, NotPrepared):
                answer = None
            else:
                answer = delivered_at_once(self._face.locum, outcome)
        except LocumError as error:
            answer = error_answer(error)
        except Exception as error:
            answer = bug_answer(activate_path(call.request), error)
        if answer is None:
            self._on_loop(
                call.number, activate_path(call.request), self._open_slowly(call, proven, outcome)
            )
        else:
            self._answers.put(answered(call.number, answer))

    async def _open_slowly(
        self,
        call: OpenCall | IssueCall,
        proven: Proven,
        outcome: Done | Replayed | NotPrepared,
    ) -> Answered:
        path = activate_path(call.request)
        headers = {"idempotency-key": call.idempotency_key}
        short = ShortCall(self._face, "POST", path, headers, proven.source, call.body)
        if isinstance(outcome, NotPrepared):
            body = opening_body(call.body)
            answer = await open_after_looking(short, proven, call.request, body, outcome)
        else:
            answer = await deliver(short, outcome)
        return answered(call.number, answer)

    async def _relay(self, call: RelayCall) -> None:
        gone = self._gone[call.number] = asyncio.Event()
        try:
            await relayed(self._app, call, gone, self._answers.put)
        finally:
            del self._gone[call.number]

    def _on_loop(self, number: int, path: str, work: Coroutine[Any, Any, Answered | None]) -> None:
        """Run work that answers by itself, or gives its answer."""

        async def whole() -> None:
            try:
                answer = await work
            except LocumError as error:
                answer = answered(number, error_answer(error))
            except Exception as error:
                answer = answered(number, bug_answer(path, error))
            if answer is not None:
                self._answers.put(answer)

        asyncio.run_coroutine_threadsafe(whole(), self._loop)


def _as_it_came(call: IssueCall) -> RelayCall:
    headers = [(b"content-type", b"application/json")]
    if call.idempotency_key:
        headers.append((b"idempotency-key", call.idempotency_key.encode("latin-1")))
    path = activate_path(call.request)
    return RelayCall(
        call.number, "POST", path, b"", tuple(headers), call.source, call.body, call.peer
    )
