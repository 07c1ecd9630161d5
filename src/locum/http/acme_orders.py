"""`/acme/…` for certificates: order, finalize, fetch, revoke (RFC 8555 §7.4 to §7.6)."""

from __future__ import annotations

import ssl
from functools import partial

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from locum.http.acme_calls import AcmeCall, answered
from locum.http.acme_jws import decoded, unbase64url
from locum.http.acme_views import (
    Identifier,
    authz_view,
    names_of,
    order_url,
    order_view,
    shown,
)
from locum.http.face import Incoming
from locum.issue.signing_request import SigningRequest, read_signing_request
from locum.laws.permits import Refusal
from locum.model.acme import AcmeError
from locum.model.refusal import MalformedInput, RefusedError, Unavailable
from locum.service.acme_accounts import standing
from locum.service.acme_orders import OrderNow, finalize, make_order, order_now, own_order
from locum.service.acme_revocation import revoke
from locum.service.activate import NotPrepared, Opened
from locum.service.caller import Proven
from locum.service.certificates import chained
from locum.service.credential import prepare, produce
from locum.store.port import Transaction

_CHAIN = "application/pem-certificate-chain"


class NewOrder(msgspec.Struct, frozen=True, rename="camel"):
    """The payload of newOrder."""

    identifiers: list[Identifier]
    not_before: str = ""
    not_after: str = ""


class Finalize(msgspec.Struct, frozen=True):
    """The payload of finalize: the signing request in DER, base64url."""

    csr: str


class Revoke(msgspec.Struct, frozen=True):
    """The payload of revokeCert: the certificate in DER, base64url."""

    certificate: str
    reason: int = 0


@post("/acme/new-order", summary="ACME: order a certificate", status_code=201)
async def new_order(request: Incoming) -> Response[bytes]:
    """Order a backup certificate, while the path may open."""
    return await answered(request, "account", _new_order)


def _new_order(call: AcmeCall) -> Response[bytes]:
    locum, asked = call.locum, decoded(call.payload, NewOrder)
    if asked.not_before or asked.not_after:
        raise AcmeError(
            "malformed",
            "How long a backup lives is the path's to say.",
            "Leave `notBefore` and `notAfter` out.",
        )
    names, proven = names_of(asked.identifiers), standing(locum, call.holder, call.source)
    made = call.act(lambda transaction: make_order(locum, transaction, proven, call.holder, names))
    return _order(call, made.id, 201)


@post("/acme/order/{order:str}", summary="ACME: an order", status_code=200)
async def order(request: Incoming, order: FromPath[str]) -> Response[bytes]:
    """Show an order of one's own."""
    return await answered(request, "account", lambda call: _show(call, order))


def _show(call: AcmeCall, name: str) -> Response[bytes]:
    call.no_payload()
    return _order(call, name)


def _order(call: AcmeCall, name: str, status: int = 200) -> Response[bytes]:
    view = order_view(call.origin, _now(call, name))
    answer = shown(view, status, order_url(call.origin, name))
    if view["status"] == "processing":
        answer.headers["Retry-After"] = "1"
    return answer


def _now(call: AcmeCall, name: str) -> OrderNow:
    def look(transaction: Transaction) -> OrderNow:
        found = own_order(transaction, call.holder, name)
        return order_now(transaction, found, call.locum.clock())

    return call.locum.store.look(look)


@post("/acme/authz/{authz:str}", summary="ACME: an authorization", status_code=200)
async def authz(request: Incoming, authz: FromPath[str]) -> Response[bytes]:
    """Show that a name of an order is authorized, as the account's binding says."""
    return await answered(request, "account", lambda call: _authz(call, authz))


def _authz(call: AcmeCall, name: str) -> Response[bytes]:
    call.no_payload()
    order, _, number = name.partition(".")
    found = _now(call, order).order
    if not (number.isdecimal() and len(number) < 4 and int(number) < len(found.names)):
        raise AcmeError("malformed", "There is no such authorization.", "See the order.")
    return shown(authz_view(found, int(number)))


@post("/acme/finalize/{order:str}", summary="ACME: have it issued", status_code=200)
async def finish(request: Incoming, order: FromPath[str]) -> Response[bytes]:
    """Open the path and issue the certificate, for the key of a signing request."""
    return await answered(request, "account", lambda call: _finalize(call, order))


def _finalize(call: AcmeCall, name: str) -> Response[bytes]:
    locum, csr = call.locum, _signing_request(call)
    proven = standing(locum, call.holder, call.source)
    outcome = _finalized(call, name, proven, csr, prepared=False)
    if isinstance(outcome, NotPrepared):
        prepare(locum, outcome.path, name, proven)
        outcome = _finalized(call, name, proven, csr, prepared=True)
    if not isinstance(outcome, Opened):
        raise Unavailable("The path is still not looked at.", "Try again.")
    if not outcome.certificate:
        produce(locum, outcome)
    return _order(call, name)


def _finalized(
    call: AcmeCall, name: str, proven: Proven, csr: SigningRequest, *, prepared: bool
) -> Opened | NotPrepared:
    def verb(transaction: Transaction) -> Opened | NotPrepared | Refusal:
        return finalize(call.locum, transaction, proven, call.holder, name, csr, prepared=prepared)

    outcome = call.locum.store.act(verb).result()
    if isinstance(outcome, Refusal):
        raise RefusedError(outcome.breaches)
    return outcome


def _signing_request(call: AcmeCall) -> SigningRequest:
    der = unbase64url(decoded(call.payload, Finalize).csr, "signing request")
    pem = ssl.DER_cert_to_PEM_cert(der).replace(" CERTIFICATE-", " CERTIFICATE REQUEST-")
    try:
        csr = read_signing_request(pem)
    except MalformedInput as error:
        raise AcmeError("badCSR", error.fact, error.remedy) from None
    if csr.ask.key == call.key.spki:
        raise AcmeError(
            "badCSR", "The signing request is for the account's own key.", "Make another key."
        )
    return csr


@post("/acme/certificate/{order:str}", summary="ACME: the certificate", status_code=200)
async def certificate(request: Incoming, order: FromPath[str]) -> Response[bytes]:
    """Give the certificate of an order with those that signed it."""
    return await answered(request, "account", lambda call: _certificate(call, order))


def _certificate(call: AcmeCall, name: str) -> Response[bytes]:
    call.no_payload()
    issued, authority = _now(call, name).certificate, call.locum.authority
    if issued is None:
        raise AcmeError("orderNotReady", "The order has no certificate yet.", "Finalize it.")
    if authority is None:
        raise Unavailable("No certificate authority is set up.", "Make one: `locum pki init`.")
    chain = authority.chain_pem
    text = chained(issued.body, chain() if callable(chain) else chain)
    return Response(text.encode(), media_type=_CHAIN)


@post("/acme/revoke-cert", summary="ACME: revoke a certificate", status_code=200)
async def revoke_certificate(request: Incoming) -> Response[bytes]:
    """Close the grant of a certificate; signed by the account, or by the certificate's key."""
    return await answered(request, "either", _revoke)


def _revoke(call: AcmeCall) -> Response[bytes]:
    asked = decoded(call.payload, Revoke)
    der = unbase64url(asked.certificate, "certificate")
    verb = partial(
        revoke,
        call.locum,
        der=der,
        reason=asked.reason,
        account=call.account,
        key=call.key.spki,
    )
    call.act(lambda transaction: verb(transaction=transaction))
    return Response(b"")


routes = [new_order, order, authz, finish, certificate, revoke_certificate]
