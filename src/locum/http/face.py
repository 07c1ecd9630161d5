"""What every endpoint works with: the wiring, the proofs, the throttles, and one way to act."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency

from locum.http.access_token import AccessTokens
from locum.http.peer import peer_of
from locum.http.problems import JSON
from locum.http.proof import ProofVerifier
from locum.http.prover import Prover, named_once
from locum.http.throttle import Throttle
from locum.http.views import credential_view
from locum.laws.permits import Refusal
from locum.ledger.note import VerifierKey
from locum.model.refusal import MalformedInput, RefusedError, Unavailable
from locum.service.activate import NotPrepared, Opened
from locum.service.caller import Caller, Proven, admit
from locum.service.credential import produce
from locum.service.revocations import Revocations
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Answer

T = TypeVar("T")
ANSWERS_KEPT = timedelta(hours=24)
LONGEST_KEY = 128
WAITING = 8


class Done(msgspec.Struct, frozen=True):
    """What an act answers: a status and a view that holds no secret, to be kept for a replay.

    Args:
        opened: a grant whose credential is to be produced after the commit.
    """

    status: int
    view: msgspec.Struct
    opened: Opened | None = None


class Replayed(msgspec.Struct, frozen=True):
    """The kept answer to an idempotency key that was used before."""

    answer: Answer


@dataclass(frozen=True)
class Face:
    """The HTTP face's parts, made once.

    Args:
        revocations: what the built-in certificate authority says; `None` where there is none.
        root_list: the revocation list of its root, DER; empty where the root is another's.
        waiting: the calls whose proof waits for somebody's keys or lists at once.
    """

    locum: Locum
    prover: Prover
    verifier_key: VerifierKey
    revocations: Revocations | None = None
    root_list: bytes = b""
    waiting: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(WAITING))

    @property
    def proofs(self) -> ProofVerifier:
        """Verifies DPoP proofs."""
        return self.prover.proofs

    @property
    def tokens(self) -> AccessTokens:
        """Issues and verifies access tokens."""
        return self.prover.tokens

    @property
    def throttle(self) -> Throttle:
        """Counts calls."""
        return self.prover.throttle


class ShortCall(msgspec.Struct, frozen=True):
    """A call that came the short way (`http.hot`), past the framework's routing.

    Args:
        headers: by lower-case name.
        content: the whole body, within the limit.
        peer: the client certificate of its connection, DER; empty where there is none.
    """

    face: Face
    method: str
    path: str
    headers: Mapping[str, str]
    source: str
    content: bytes
    peer: bytes = b""


Incoming = Request[Any, Any, Any]
Call = Incoming | ShortCall
ProvenCaller = NamedDependency[Proven]
"""What `prove` found, as the framework hands it to an endpoint."""


def face_of(request: Call) -> Face:
    """The face that serves this call."""
    if isinstance(request, ShortCall):
        return request.face
    face: Face = request.app.state["face"]
    return face


def source_of(request: Call) -> str:
    """The network address that a call came from, as the socket says; no header is believed."""
    if isinstance(request, ShortCall):
        return request.source
    return request.client.host if request.client is not None else "unknown"


def path_of(request: Call) -> str:
    """The call's path, without query."""
    return request.path if isinstance(request, ShortCall) else request.url.path


def headers_of(request: Call) -> Mapping[str, str]:
    """The call's headers by lower-case name."""
    if isinstance(request, ShortCall):
        return request.headers
    return named_once(request.scope["headers"])


async def body_of(request: Call) -> bytes:
    """The call's whole body."""
    return request.content if isinstance(request, ShortCall) else await request.body()


def prove(request: Call) -> Proven:
    """Verify the call's access token and proof; a key that was not proved gets no further.

    Raises:
        Unauthenticated: something is missing or does not hold.
        TooMany: this source or this key calls too often.
    """
    return face_of(request).prover.prove(
        request.method,
        path_of(request),
        headers_of(request),
        source_of(request),
        request.peer if isinstance(request, ShortCall) else peer_of(request.scope),
    )


async def proved(request: Call) -> Proven:
    """Prove a call on an event loop: what may wait for the network waits in a thread."""
    peer = request.peer if isinstance(request, ShortCall) else peer_of(request.scope)
    face = face_of(request)
    if face.prover.waits(headers_of(request), peer):
        return await anyio.to_thread.run_sync(prove, request, limiter=face.waiting)
    return prove(request)


def admitted(
    request: Call,
    proven: Proven,
    function: Callable[[Transaction, Caller], T],
    *,
    workloads: bool = False,
) -> T:
    """Look something up for an admitted caller; for a workload only where that is said."""
    face = face_of(request)

    def whole(transaction: Transaction) -> T:
        now = face.locum.clock()
        caller = admit(
            transaction, face.locum.estate.now, proven, now, spend=False, workloads=workloads
        )
        return function(transaction, caller)

    return face.locum.store.look(whole)


async def act(
    request: Call, proven: Proven, function: Callable[[Transaction], Done | Refusal]
) -> Done | Replayed:
    """Run an act that needs nothing looked at before it; see `attempt`."""
    outcome = await attempt(request, proven, function)
    if isinstance(outcome, NotPrepared):
        raise Unavailable("The act was not prepared.", "Try again.")
    return outcome


async def attempt(
    request: Call, proven: Proven, function: Callable[[Transaction], Done | NotPrepared | Refusal]
) -> Done | Replayed | NotPrepared:
    """Run an act, once per idempotency key.

    Raises:
        RefusedError: the laws refused; the refusal is committed.
        MalformedInput: the idempotency key was used for another call.
    """
    key, body = request.headers.get("idempotency-key", ""), await body_of(request)
    asked = call_digest(request.method, path_of(request), body)
    begun = begin(face_of(request).locum, proven, key, asked, function)
    return concluded(await asyncio.wrap_future(begun))


def call_digest(method: str, path: str, body: bytes) -> bytes:
    """What an idempotency key stands for."""
    return hashlib.sha256(f"{method} {path}\n".encode() + body).digest()


def checked_key(key: str) -> str:
    """Take an idempotency key as it came; empty where the call has none.

    Raises:
        MalformedInput: it is too long.
    """
    if len(key) > LONGEST_KEY:
        raise MalformedInput(
            "The idempotency key is too long.", f"Use at most {LONGEST_KEY} characters."
        )
    return key


def begin(
    locum: Locum,
    proven: Proven,
    key: str,
    asked: bytes,
    function: Callable[[Transaction], Done | NotPrepared | Refusal],
) -> Future[Done | Replayed | NotPrepared | Refusal]:
    """Begin an act, once per idempotency key; the future is done when it is durable.

    Args:
        key: the idempotency key; empty where the call has none.
        asked: what the key stands for, by `call_digest`.

    Raises:
        MalformedInput: the key is too long.
    """
    if not checked_key(key):
        return locum.store.act(function)

    def whole(transaction: Transaction) -> Done | Replayed | NotPrepared | Refusal:
        now = locum.clock()
        kept = transaction.answer(proven.jkt, key)
        if kept is not None:
            admit(transaction, locum.estate.now, proven, now, spend=True, workloads=True)
            if kept.request_digest != asked:
                raise MalformedInput(
                    "The idempotency key was used for another call.", "Use a new key."
                )
            return Replayed(kept)
        outcome = function(transaction)
        if isinstance(outcome, Done):
            answer = Answer(asked, outcome.status, msgspec.json.encode(outcome.view))
            transaction.remember(proven.jkt, key, answer, now + ANSWERS_KEPT)
        return outcome

    return locum.store.act(whole)


def concluded(outcome: Done | Replayed | NotPrepared | Refusal) -> Done | Replayed | NotPrepared:
    """What an act came to.

    Raises:
        RefusedError: the laws refused; the refusal is committed.
    """
    if isinstance(outcome, Refusal):
        raise RefusedError(outcome.breaches)
    return outcome


def respond(outcome: Done | Replayed) -> Response[Any]:
    """Answer with what an act gave, or gave before."""
    if isinstance(outcome, Replayed):
        return Response(
            outcome.answer.body,
            status_code=outcome.answer.status,
            media_type=JSON,
            headers={"Idempotency-Replayed": "true"},
        )
    return Response(msgspec.json.encode(outcome.view), status_code=outcome.status, media_type=JSON)


async def deliver(request: Call, outcome: Done | Replayed) -> Response[Any]:
    """Produce the credential that an act opened, and answer with it; a replay never does."""
    locum = face_of(request).locum
    at_once = delivered_at_once(locum, outcome)
    if at_once is not None:
        return at_once
    return await anyio.to_thread.run_sync(_delivered, locum, outcome)


def delivered_at_once(locum: Locum, outcome: Done | Replayed) -> Response[Any] | None:
    """The answer, unless a credential is to be produced over the network first."""
    if isinstance(outcome, Replayed) or outcome.opened is None or not outcome.opened.taken:
        return respond(outcome)
    made = outcome.opened.secret is not None or outcome.opened.certificate
    return _delivered(locum, outcome) if made else None


def _delivered(locum: Locum, outcome: Done | Replayed) -> Response[Any]:
    if isinstance(outcome, Replayed) or outcome.opened is None:
        return respond(outcome)
    credential = credential_view(produce(locum, outcome.opened))
    view = msgspec.structs.replace(outcome.view, credential=credential)
    return respond(Done(outcome.status, view))
