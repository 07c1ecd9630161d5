"""`/acme/…`: a backup certificate by ACME, inside the announced window only (RFC 8555).

An account is bound to one path of a workload by a key that the workload mints over its primary
(`POST /v1/acme-keys`). That binding is what authorizes its names, so authorizations are valid at
once and no challenge is set; whether a certificate is issued, the path's laws decide.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post, route
from litestar.params import FromPath, JSONBody

from locum.http import acme_orders
from locum.http.acme_calls import AcmeCall, answered, finished, throttled
from locum.http.acme_jws import (
    Key,
    bound_kid,
    decoded,
    demand_algorithm,
    json_object,
    key_of,
    read_jws,
    verify,
)
from locum.http.acme_views import account_url, account_view, acme_error, directory, shown
from locum.http.face import Incoming, ProvenCaller, face_of
from locum.http.peer import peer_of
from locum.http.problems import JSON
from locum.http.requests import path_name
from locum.laws.permits import Refusal
from locum.model.acme import AcmeAccount, AcmeError
from locum.model.refusal import Conflict, LocumError, RefusedError
from locum.service.acme_accounts import (
    binding_key,
    change_key,
    deactivate,
    demand_active,
    make_account,
    mint,
)

_LISTED = 100


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /v1/acme-keys` takes."""

    path: str


class KeyView(msgspec.Struct, frozen=True):
    """A key that binds one ACME account to the path; it is shown once.

    Args:
        kid: its name.
        hmac_key: the key itself, base64url.
        directory: where the ACME client begins.
    """

    kid: str
    hmac_key: str
    directory: str
    expires_at: datetime


class NewAccount(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of newAccount; contacts are not kept, and there are no terms to agree to."""

    only_return_existing: bool = False
    external_account_binding: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class KeyChange(msgspec.Struct, frozen=True, rename="camel"):
    """The inner payload of keyChange (RFC 8555 §7.3.5)."""

    account: str
    old_key: dict[str, Any]


@post("/v1/acme-keys", summary="A key that binds an ACME account", status_code=201)
async def bind(
    request: Incoming, proven: ProvenCaller, data: JSONBody[KeyBody]
) -> Response[KeyView]:
    """Mint a single-use key with which an ACME client makes its account for this path."""
    locum, name, peer = face_of(request).locum, path_name(data.path), peer_of(request.scope)
    minted = await asyncio.wrap_future(
        locum.store.act(lambda transaction: mint(locum, transaction, proven, peer, name))
    )
    if isinstance(minted, Refusal):
        raise RefusedError(minted.breaches)
    view = KeyView(
        minted.kid,
        minted.key.reveal(),
        f"{request.app.state['origin']}/acme/directory",
        minted.expires_at,
    )
    return Response(
        msgspec.json.encode(view),  # type: ignore[arg-type]
        status_code=201,
        media_type=JSON,
        headers={"Cache-Control": "no-store"},
    )


@get("/acme/directory", summary="ACME: where everything is")
async def show_directory(request: Incoming) -> dict[str, Any]:
    """The directory (RFC 8555 §7.1.1)."""
    return directory(request.app.state["origin"])


@route("/acme/new-nonce", http_method=["HEAD", "GET"], summary="ACME: a nonce", status_code=200)
async def new_nonce(request: Incoming) -> Response[bytes]:
    """A nonce, as every answer carries one: 200 to HEAD, 204 to GET (RFC 8555 §7.2)."""
    return _nonce(request, 200 if request.method == "HEAD" else 204)


def _nonce(request: Incoming, status: int) -> Response[bytes]:
    try:
        throttled(request)
    except LocumError as error:
        return finished(request, acme_error(error))
    return finished(request, Response(b"", status_code=status))


@post("/acme/new-account", summary="ACME: make an account, or find one's own", status_code=201)
async def new_account(request: Incoming) -> Response[bytes]:
    """Make an account against a binding key; a key that has an account gets that."""
    return await answered(request, "key", _new_account)


def _new_account(call: AcmeCall) -> Response[bytes]:
    locum, jkt = call.locum, call.key.account.jkt
    asked = decoded(call.payload, NewAccount)
    found = locum.store.look(lambda transaction: transaction.acme_account_of_key(jkt))
    if found is not None:
        demand_active(found, locum.clock())
        return _account(call, found, 200)
    if asked.only_return_existing:
        raise AcmeError("accountDoesNotExist", "The key has no account.", "Make one.")
    if asked.external_account_binding is msgspec.UNSET:
        raise AcmeError(
            "externalAccountRequired",
            "An account needs an external account binding.",
            "Mint its key with the workload's primary: `POST /v1/acme-keys`.",
        )
    kid = bound_kid(
        asked.external_account_binding, call.url, call.key, lambda kid: binding_key(locum, kid)
    )
    made = call.act(
        lambda transaction: make_account(locum, transaction, call.key.account, kid, call.source)
    )
    return _account(call, made, 201)


def _account(call: AcmeCall, account: AcmeAccount, status: int = 200) -> Response[bytes]:
    location = account_url(call.origin, account.id)
    return shown(account_view(call.origin, account), status, location)


@post("/acme/account/{account:str}", summary="ACME: one's account", status_code=200)
async def account(request: Incoming, account: FromPath[str]) -> Response[bytes]:
    """Show one's account, or deactivate it."""
    return await answered(request, "account", lambda call: _change(call, account))


def _change(call: AcmeCall, name: str) -> Response[bytes]:
    holder = _own(call, name)
    if call.payload and json_object(call.payload).get("status") == "deactivated":
        call.act(lambda transaction: deactivate(call.locum, transaction, holder))
        found = call.locum.store.look(lambda transaction: transaction.acme_account(name))
        return _account(call, found or holder)
    return _account(call, holder)


@post("/acme/account/{account:str}/orders", summary="ACME: one's orders", status_code=200)
async def orders(request: Incoming, account: FromPath[str]) -> Response[bytes]:
    """List one's orders, the newest first."""
    return await answered(request, "account", lambda call: _orders(call, account))


def _orders(call: AcmeCall, name: str) -> Response[bytes]:
    call.no_payload()
    holder = _own(call, name)
    found = call.locum.store.look(
        lambda transaction: transaction.acme_orders_of(holder.id, _LISTED)
    )
    return shown({"orders": [f"{call.origin}/acme/order/{one.id}" for one in found]})


def _own(call: AcmeCall, name: str) -> AcmeAccount:
    if call.holder.id != name:
        raise AcmeError("unauthorized", "It is not this account.", "Call one's own.")
    return call.holder


@post("/acme/key-change", summary="ACME: another key for one's account", status_code=200)
async def key_change(request: Incoming) -> Response[bytes]:
    """Give one's account another key; both sign."""
    return await answered(request, "account", _key_change)


def _key_change(call: AcmeCall) -> Response[bytes]:
    holder, key = call.holder, _new_key(call)
    if key.account.jkt == holder.jkt:
        raise AcmeError("malformed", "The new key is the old one.", "Make a new key.")
    try:
        call.act(lambda transaction: change_key(call.locum, transaction, holder, key.account))
    except Conflict:
        found = call.locum.store.look(
            lambda transaction: transaction.acme_account_of_key(key.account.jkt)
        )
        where = account_url(call.origin, found.id) if found is not None else ""
        error = AcmeError("malformed", "The new key has an account already.", "Make a new key.")
        answer = acme_error(error)
        answer.status_code = 409
        answer.headers["Location"] = where
        return answer
    return _account(call, holder)


def _new_key(call: AcmeCall) -> Key:
    """The key that signed the inner JWS, which names the account and its old key."""
    inner = read_jws(call.payload, call.url)
    demand_algorithm(inner)
    if inner.header.jwk is msgspec.UNSET or inner.header.kid or inner.header.nonce:
        raise AcmeError("malformed", "The inner header has `alg`, `jwk` and `url`.", "§7.3.5.")
    key = key_of(inner.header.jwk)
    verify(inner, key)
    said = decoded(inner.payload, KeyChange)
    if (
        said.account != account_url(call.origin, call.holder.id)
        or key_of(said.old_key).account.jkt != call.holder.jkt
    ):
        raise AcmeError("malformed", "The inner payload is for another account.", "§7.3.5.")
    return key


routes = [
    bind,
    show_directory,
    new_nonce,
    new_account,
    account,
    orders,
    key_change,
    *acme_orders.routes,
]
