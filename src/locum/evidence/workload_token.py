"""Whose is this token: an OIDC workload token, or a SPIFFE JWT-SVID, pinned to one identity.

Issuer, audience and subject are as declared, the signature is by a key of the issuer's own set and
an asymmetric algorithm, and the token ends within a day of its issue. Source: RFC 7519, RFC 8725;
SPIFFE JWT-SVID §3; OWASP NHI6.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from locum.evidence.pins import NotKnown, pins_of
from locum.model.estate import Estate
from locum.model.presenter import Presenter
from locum.model.refusal import LocumError
from locum.model.trust import TokenTrust, trust_domain

ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
LARGEST, LEEWAY, LONGEST = 16 * 1024, 60, 24 * 3600


class Claims(msgspec.Struct, frozen=True):
    """What a workload token claims."""

    sub: str
    aud: str | list[str]
    exp: float
    iss: str = ""
    iat: float | None = None
    nbf: float | None = None


_claims = msgspec.json.Decoder(Claims)
_registry = jws.JWSRegistry(algorithms=ALGORITHMS)
Keys = Callable[[TokenTrust, bool], KeySet]


def identity_of_token(
    token: str, estate: Estate, keys: Keys, now: datetime
) -> Presenter | NotKnown:
    """Find the one identity whose primary this token is.

    Args:
        keys: gives a bundle's keys; with true, fetched anew because one is missing.
    """
    try:
        if len(token) > LARGEST:
            raise ValueError("it is too long")
        signed = jws.extract_compact(token.encode("ascii"))
        claims = _claims.decode(signed.payload)
    except (JoseError, msgspec.DecodeError, ValueError, TypeError, RecursionError):
        return NotKnown("The token cannot be read.", "Send a JWT of your workload's issuer.")
    pins = pins_of(estate)
    candidates = (
        *pins.by_issuer.get(claims.iss, ()),
        *pins.by_domain.get(trust_domain(claims.sub), ()),
    )
    fitting = [
        (identity, trust)
        for trust in candidates
        for identity in pins.tokens.get((trust.name, claims.sub), ())
        if _audience_fits(claims, trust)
        and (identity.primary.methods[0] == "spiffe-jwt-svid") == bool(trust.spiffe)
        and (not trust.spiffe or trust_domain(claims.sub) == trust.spiffe)
    ]
    if len(fitting) != 1:
        return NotKnown(
            "No identity, or more than one, is known by the token's issuer, audience and subject.",
            "Declare `known_by: {trust: …, subject: …}`, and the audience of its bundle.",
        )
    [(identity, trust)] = fitting
    if identity.disabled:
        return NotKnown(f"{identity.name} is disabled.", "Enable it in the estate.")
    late = _untimely(claims, now)
    if late:
        return NotKnown(late, "Send a token in date; look at the clocks.")
    if not _signed(signed, trust, keys):
        return NotKnown("The token is not signed by its issuer.", "Look at the issuer's keys.")
    return Presenter(identity.name, identity.primary.methods[0], trust.vouches)


def _audience_fits(claims: Claims, trust: TokenTrust) -> bool:
    return trust.audience in ([claims.aud] if isinstance(claims.aud, str) else claims.aud)


def _untimely(claims: Claims, now: datetime) -> str:
    at = now.timestamp()
    if at >= claims.exp:
        return "The token ended."
    if claims.nbf is not None and at < claims.nbf - LEEWAY:
        return "The token is not valid yet."
    if claims.iat is not None and at < claims.iat - LEEWAY:
        return "The token was issued in the future."
    if claims.exp - (at if claims.iat is None else claims.iat) > LONGEST:
        return "The token lives for more than a day."
    return ""


def _signed(signed: jws.CompactSignature, trust: TokenTrust, keys: Keys) -> bool:
    header = signed.headers()
    if header.get("alg") not in ALGORITHMS or "jwk" in header or "crit" in header:
        return False
    for anew in (False, True):
        try:
            found = keys(trust, anew)
            kid = header.get("kid")
            fits = [one for one in found.keys if kid is None or one.kid == kid]
            for key in fits:
                try:
                    if jws.validate_compact(signed, key, registry=_registry):
                        return True
                except (JoseError, ValueError, TypeError):
                    continue
        except LocumError:
            return False
    return False
