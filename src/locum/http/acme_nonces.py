"""Nonces of ACME: each carries its time and a MAC, so any replica knows its own.

It is spent in the store, so it counts once among all of them. Source: RFC 8555 §6.5.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from locum.http.acme_jws import unbase64url
from locum.model.acme import AcmeError
from locum.service.acme_accounts import base64url

NONCE_LIFE = timedelta(seconds=240)
_AHEAD = timedelta(seconds=5)
_TIME, _RANDOM, _MAC = 8, 16, 16


class Nonces:
    """Make nonces, and know them again.

    Args:
        key: 32 bytes, the same in every replica.
        rng: gives that many random bytes.
    """

    def __init__(self, key: bytes, rng: Callable[[int], bytes]) -> None:
        self._key, self._rng = key, rng

    def make(self, now: datetime) -> str:
        """A nonce that may be used until `NONCE_LIFE` from now."""
        body = int(now.timestamp() * 1000).to_bytes(_TIME) + self._rng(_RANDOM)
        return base64url(body + self._mac(body))

    def until(self, nonce: str, now: datetime) -> datetime:
        """Until when a nonce may be used; it may have been already.

        Raises:
            AcmeError: it is none of ours, or too old.
        """
        raw = unbase64url(nonce, "nonce") if nonce else b""
        body, mac = raw[: _TIME + _RANDOM], raw[_TIME + _RANDOM :]
        if not hmac.compare_digest(mac, self._mac(body)) or len(body) != _TIME + _RANDOM:
            raise bad_nonce()
        made = datetime.fromtimestamp(int.from_bytes(body[:_TIME]) / 1000, UTC)
        if not -_AHEAD <= now - made < NONCE_LIFE:
            raise bad_nonce()
        return made + NONCE_LIFE

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_MAC]


def bad_nonce() -> AcmeError:
    """What a call gets whose nonce is unknown, old or spent."""
    return AcmeError(
        "badNonce", "The nonce is unknown, too old or spent.", "Sign anew with the one sent along."
    )
