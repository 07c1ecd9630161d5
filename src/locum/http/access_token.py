"""Access tokens of callers: short JWTs bound to the caller's key (RFC 9068, RFC 9449 §6.1).

A token says which key may act until when, and nothing about what it may do: the key, the person
and the laws are looked up at every act, so there is nothing in a token to outlive a revocation.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from locum.service.caller import unproved

LIFE = timedelta(hours=1)
_KEPT = 4_096


class Confirmation(msgspec.Struct, frozen=True):
    """The key that the token is bound to."""

    jkt: str


class TokenClaims(msgspec.Struct, frozen=True):
    """What an access token claims."""

    iss: str
    sub: str
    exp: int
    cnf: Confirmation


_claims = msgspec.json.Decoder(TokenClaims)


class AccessTokens:
    """Issue and verify access tokens.

    Args:
        key: the ES256 signing key; shared by all replicas, sealed in the vault.
        issuer: the public address.
    """

    def __init__(self, key: ECKey, issuer: str) -> None:
        self._key, self._issuer = key, issuer
        self._verified: OrderedDict[str, TokenClaims] = OrderedDict()

    def __repr__(self) -> str:
        return f"AccessTokens({self._issuer})"

    def issue(self, jkt: str, subject: str, now: datetime) -> str:
        """A token for the key `jkt`, valid for an hour."""
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self._key.thumbprint()}
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "sub": subject,
            "aud": self._issuer,
            "iat": issued,
            "exp": issued + int(LIFE.total_seconds()),
            "cnf": {"jkt": jkt},
        }
        return jwt.encode(header, claims, self._key)

    def verify(self, token: str, now: datetime) -> str:
        """The thumbprint of the key that a token is bound to.

        Raises:
            Unauthenticated: not ours, ended, or falsely signed.
        """
        claims = self._verified.get(token)
        if claims is None:
            try:
                signed = jws.deserialize_compact(token.encode(), self._key, algorithms=["ES256"])
                claims = _claims.decode(signed.payload)
            except (JoseError, msgspec.DecodeError, ValueError, TypeError):
                raise unproved() from None
            if signed.headers().get("typ") != "at+jwt" or claims.iss != self._issuer:
                raise unproved()
            self._verified[token] = claims
            if len(self._verified) > _KEPT:
                self._verified.popitem(last=False)
        if now.timestamp() >= claims.exp:
            raise unproved()
        return claims.cnf.jkt

    def public(self) -> dict[str, Any]:
        """The JWK set (RFC 7517)."""
        key = dict(self._key.as_dict(private=False))
        key |= {"use": "sig", "alg": "ES256", "kid": self._key.thumbprint()}
        return {"keys": [key]}
