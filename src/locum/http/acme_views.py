"""ACME's objects as it shows them, and its errors (RFC 8555 §6.7, §7.1).

Every address is built from the configured origin, never from what a call says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from typing import Any

import msgspec
from litestar import Response

from locum.http.acme_jws import ALGORITHMS
from locum.http.problems import JSON, problem_of
from locum.model.acme import AcmeAccount, AcmeError, AcmeOrder
from locum.model.refusal import (
    LocumError,
    MalformedInput,
    NotFound,
    RefusedError,
    TooMany,
    TransitionNotAllowed,
    Unauthenticated,
)
from locum.service.acme_orders import OrderNow

_STATUS = {
    "accountDoesNotExist": 400,
    "alreadyRevoked": 400,
    "badCSR": 400,
    "badNonce": 400,
    "badPublicKey": 400,
    "badRevocationReason": 400,
    "badSignatureAlgorithm": 400,
    "malformed": 400,
    "rejectedIdentifier": 400,
    "unsupportedIdentifier": 400,
    "unsupportedMediaType": 415,
}
_FIELDS = {"identifiers": "rejectedIdentifier", "csr": "badCSR"}
_MOST_NAMES = 100
_PATHS = {
    "newNonce": "/acme/new-nonce",
    "newAccount": "/acme/new-account",
    "newOrder": "/acme/new-order",
    "revokeCert": "/acme/revoke-cert",
    "keyChange": "/acme/key-change",
}


class Identifier(msgspec.Struct, frozen=True):
    """What a certificate is for: a DNS name, or an IP address (RFC 8738)."""

    type: str
    value: str


def directory(origin: str) -> dict[str, Any]:
    """The directory object."""
    return {
        **{name: origin + path for name, path in _PATHS.items()},
        "meta": {"externalAccountRequired": True},
    }


def account_url(origin: str, account: str) -> str:
    """The address of an account, which is its `kid`."""
    return f"{origin}/acme/account/{account}"


def order_url(origin: str, order: str) -> str:
    """The address of an order."""
    return f"{origin}/acme/order/{order}"


def account_view(origin: str, account: AcmeAccount) -> dict[str, Any]:
    """An account; no contact is kept, as its owner is in the estate."""
    return {
        "status": "valid" if account.deactivated_at is None else "deactivated",
        "orders": f"{account_url(origin, account.id)}/orders",
    }


def order_view(origin: str, now: OrderNow) -> dict[str, Any]:
    """An order."""
    order = now.order
    shown: dict[str, Any] = {
        "status": now.status,
        "expires": _time(order.expires_at),
        "identifiers": [_identifier(name) for name in order.names],
        "authorizations": [
            f"{origin}/acme/authz/{order.id}.{number}" for number in range(len(order.names))
        ],
        "finalize": f"{origin}/acme/finalize/{order.id}",
    }
    if now.certificate is not None:
        shown["certificate"] = f"{origin}/acme/certificate/{order.id}"
    return shown


def authz_view(order: AcmeOrder, number: int) -> dict[str, Any]:
    """An authorization: valid at once, as the account's binding is what authorizes."""
    identifier = _identifier(order.names[number])
    shown: dict[str, Any] = {
        "status": "valid",
        "expires": _time(order.expires_at),
        "identifier": identifier,
        "challenges": [],
    }
    if identifier["value"].startswith("*."):
        shown["identifier"] = identifier | {"value": identifier["value"].removeprefix("*.")}
        shown["wildcard"] = True
    return shown


def names_of(identifiers: list[Identifier]) -> tuple[str, ...]:
    """The names that identifiers ask for, each with its kind in front, ordered.

    Raises:
        AcmeError: another kind of identifier, none, or too many.
    """
    if not 0 < len(identifiers) <= _MOST_NAMES:
        raise AcmeError("malformed", "An order has 1 to 100 identifiers.", "Name what it is for.")
    return tuple(sorted({_name(one) for one in identifiers}))


def _name(identifier: Identifier) -> str:
    value = identifier.value
    match identifier.type:
        case "dns":
            if 0 < len(value) <= 255 and value.isascii() and " " not in value:
                return f"dns:{value.lower()}"
        case "ip":
            with suppress(ValueError):
                return f"ip:{ip_address(value)}"
        case _:
            raise AcmeError(
                "unsupportedIdentifier", "There are no such identifiers.", "Use `dns` or `ip`."
            )
    raise AcmeError("malformed", "An identifier cannot be read.", "Write a plain name or address.")


def _identifier(name: str) -> dict[str, str]:
    kind, _, value = name.partition(":")
    return {"type": kind, "value": value}


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(view: Mapping[str, Any], status: int = 200, location: str = "") -> Response[bytes]:
    """Answer with an object."""
    headers = {"Location": location} if location else {}
    return Response(msgspec.json.encode(view), status_code=status, media_type=JSON, headers=headers)


def acme_error(error: LocumError) -> Response[bytes]:
    """An error of ours as RFC 8555 §6.7 says it, with what to do next."""
    word, status = _word(error)
    body: dict[str, Any] = {
        "type": f"urn:ietf:params:acme:error:{word}",
        "detail": f"{error.fact} {error.remedy}".strip(),
        "status": status,
    }
    if word == "badSignatureAlgorithm":
        body["algorithms"] = list(ALGORITHMS)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
    return Response(
        msgspec.json.encode(body),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def _word(error: LocumError) -> tuple[str, int]:
    match error:
        case AcmeError(word="unsupportedMediaType"):
            return "malformed", 415
        case AcmeError():
            return error.word, _STATUS.get(error.word, 403)
        case RefusedError():
            fields = {breach.field for breach in error.breaches}
            words = {_FIELDS[field] for field in fields if field in _FIELDS}
            word = words.pop() if len(fields) == len(words) == 1 else "unauthorized"
            return word, _STATUS.get(word, 403)
        case TooMany():
            return "rateLimited", 429
        case Unauthenticated():
            return "unauthorized", 401
        case NotFound():
            return "malformed", 404
        case MalformedInput():
            return "malformed", 400
        case TransitionNotAllowed():
            return "orderNotReady", 403
        case _:
            return "serverInternal", max(500, problem_of(error).status)
