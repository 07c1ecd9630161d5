"""One signed call of ACME, from bytes to who calls; and what every answer carries.

The signature is verified before the nonce is spent, and the nonce is spent before anything is
done: whatever comes of the call, it cannot be sent again. Source: RFC 8555 §6.2 to §6.7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Literal, TypeVar

import anyio.to_thread
import msgspec
from litestar import Response

from locum.http.acme_jws import (
    Key,
    Signed,
    demand_algorithm,
    key_of,
    read_jws,
    verify,
)
from locum.http.acme_nonces import Nonces, bad_nonce
from locum.http.acme_views import account_url, acme_error
from locum.http.face import Face, Incoming, face_of, headers_of, source_of
from locum.laws.permits import Refusal
from locum.model.acme import AcmeAccount, AcmeError
from locum.model.refusal import Conflict, LocumError, RefusedError
from locum.service.acme_accounts import demand_active, subkey
from locum.service.wiring import Locum
from locum.store.port import Transaction

T = TypeVar("T")
Signer = Literal["account", "key", "either"]
_CONTENT = "application/jose+json"
_NONCES = "acme"
"""Under what spent nonces are kept, where keys' thumbprints stand for DPoP proofs."""


class AcmeCall(msgspec.Struct, frozen=True):
    """A call that was signed by the key it names, with a nonce that is spent.

    Args:
        key: what signed.
        account: the key's account; `None` where the call brought the key itself.
        payload: what was signed; empty for POST-as-GET.
        url: what was called.
    """

    locum: Locum
    origin: str
    source: str
    key: Key
    account: AcmeAccount | None
    payload: bytes
    url: str

    @property
    def holder(self) -> AcmeAccount:
        """The account that calls, where only accounts may."""
        if self.account is None:
            raise AcmeError("malformed", "The call names no account.", "Send `kid`.")
        return self.account

    def act(self, verb: Callable[[Transaction], T | Refusal]) -> T:
        """Run an act and wait for its commit.

        Raises:
            RefusedError: the laws refused; the refusal is committed.
        """
        outcome = self.locum.store.act(verb).result()
        if isinstance(outcome, Refusal):
            raise RefusedError(outcome.breaches)
        return outcome

    def no_payload(self) -> None:
        """Take nothing but POST-as-GET (RFC 8555 §6.3).

        Raises:
            AcmeError: there is a payload.
        """
        if self.payload:
            raise AcmeError("malformed", "There is nothing to change here.", "Send no payload.")


async def answered(
    request: Incoming, signer: Signer, verb: Callable[[AcmeCall], Response[bytes]]
) -> Response[bytes]:
    """Answer a signed call, with a fresh nonce whatever comes of it.

    Args:
        signer: whether the call must name an account (`kid`), or bring its key (`jwk`).
    """
    try:
        call = await _read(request, signer)
        answer = await anyio.to_thread.run_sync(verb, call)
    except LocumError as error:
        answer = acme_error(error)
    return finished(request, answer)


def finished(request: Incoming, answer: Response[bytes]) -> Response[bytes]:
    """Put on what every answer carries."""
    face = face_of(request)
    answer.headers["Replay-Nonce"] = _nonces(face).make(face.locum.clock())
    answer.headers["Link"] = f'<{request.app.state["origin"]}/acme/directory>;rel="index"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def throttled(request: Incoming) -> None:
    """Count a call of its source.

    Raises:
        TooMany: this source calls too often.
    """
    face = face_of(request)
    face.throttle.take(f"source:{source_of(request)}", face.locum.clock())


def _nonces(face: Face) -> Nonces:
    return Nonces(subkey(face.locum, "nonces"), face.locum.rng)


async def _read(request: Incoming, signer: Signer) -> AcmeCall:
    throttled(request)
    face, origin = face_of(request), request.app.state["origin"]
    if headers_of(request).get("content-type", "").partition(";")[0].strip() != _CONTENT:
        raise AcmeError("unsupportedMediaType", "The body is of another type.", f"Send {_CONTENT}.")
    url = origin + request.url.path
    signed = read_jws(await request.body(), url)
    demand_algorithm(signed)
    account = _account(face, origin, signed, signer)
    key = key_of(msgspec.json.decode(account.jwk)) if account is not None else _brought(signed)
    verify(signed, key)
    now = face.locum.clock()
    face.throttle.take(f"acme:{key.account.jkt}", now)
    nonce = signed.header.nonce
    until = _nonces(face).until(nonce, now)
    await asyncio.wrap_future(
        face.locum.store.act(lambda transaction: _spend(transaction, nonce, until, now))
    )
    if account is not None:
        demand_active(account, now)
    return AcmeCall(face.locum, origin, source_of(request), key, account, signed.payload, url)


def _spend(transaction: Transaction, nonce: str, until: datetime, now: datetime) -> None:
    try:
        transaction.claim_proof(_NONCES, nonce, until, now)
    except Conflict:
        raise bad_nonce() from None


def _account(face: Face, origin: str, signed: Signed, signer: Signer) -> AcmeAccount | None:
    """The account that a header names; `None` where it brings a key, and may."""
    kid, brings = signed.header.kid, signed.header.jwk is not msgspec.UNSET
    if bool(kid) == brings or (brings and signer == "account") or (kid and signer == "key"):
        wanted = {"account": "`kid`", "key": "`jwk`", "either": "one of `jwk` and `kid`"}[signer]
        raise AcmeError("malformed", f"The header must have {wanted}.", "See RFC 8555 §6.2.")
    if brings:
        return None
    prefix = account_url(origin, "")
    found = None
    if kid.startswith(prefix):
        name = kid.removeprefix(prefix)
        found = face.locum.store.look(lambda transaction: transaction.acme_account(name))
    if found is None:
        raise AcmeError("accountDoesNotExist", "There is no such account.", "Make a new one.")
    return found


def _brought(signed: Signed) -> Key:
    return key_of({} if signed.header.jwk is msgspec.UNSET else signed.header.jwk)
