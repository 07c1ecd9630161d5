"""DPoP: every call proves possession of the caller's key (RFC 9449).

The URI that a proof must name is built from the configured public address, never from the Host
header. What is checked: §4.3 (typ, alg, key, htm, htu, iat, ath), the access token's `cnf.jkt`
(§6.1); the `jti` is spent by the act itself (§11.1). The answer to a failed proof is the same
whatever failed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jwk, jws
from joserfc.errors import JoseError

from locum.service.caller import PROOF_LIFE, Proven, unproved

ALGORITHMS = ["ES256", "Ed25519", "EdDSA"]
LONGEST_PROOF = 4_096
LONGEST_JTI = 128
_KEYS_KEPT = 4_096


class ProofClaims(msgspec.Struct, frozen=True):
    """What a DPoP proof claims."""

    htm: str
    htu: str
    iat: int
    jti: str
    ath: str | None = None


_claims = msgspec.json.Decoder(ProofClaims)
_registry = jws.JWSRegistry(algorithms=ALGORITHMS)


class ProofVerifier:
    """Verify proofs; keeps parsed public keys, which are looked up by their exact bytes.

    Args:
        origin: the public address, e.g. `https://locum.example`, without a trailing slash.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._keys: OrderedDict[bytes, tuple[Any, str]] = OrderedDict()

    def verify(
        self,
        proof: str | None,
        method: str,
        path: str,
        now: datetime,
        *,
        token: str | None,
        source: str,
    ) -> tuple[Proven, Any]:
        """Verify one proof.

        Args:
            proof: the `DPoP` header.
            path: the call's path, without query.
            token: the access token that the proof must be bound to; `None` where none is sent.
            source: the network address that the call came from.

        Returns:
            What was proved, and the public key as a JWK.

        Raises:
            Unauthenticated: missing, malformed, for another call, late, or falsely signed.
        """
        if proof is None or len(proof) > LONGEST_PROOF:
            raise unproved()
        try:
            signed = jws.extract_compact(proof.encode())
            header = signed.headers()
            if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
                raise unproved()
            key, jkt = self._key(header["jwk"])
            if not jws.validate_compact(signed, key, registry=_registry):
                raise unproved()
            claims = _claims.decode(signed.payload)
        except (JoseError, msgspec.DecodeError, ValueError, KeyError, TypeError):
            raise unproved() from None
        late = abs(now.timestamp() - claims.iat) > PROOF_LIFE.total_seconds()
        if (
            late
            or claims.htm != method
            or claims.htu != self._origin + path
            or not 0 < len(claims.jti) <= LONGEST_JTI
            or (token is not None and not _bound(claims.ath, token))
        ):
            raise unproved()
        return Proven(jkt, claims.jti, source), key

    def _key(self, public: Any) -> tuple[Any, str]:
        if not isinstance(public, dict) or "d" in public:
            raise unproved()
        exact = msgspec.json.encode(public, order="deterministic")
        known = self._keys.get(exact)
        if known is not None:
            self._keys.move_to_end(exact)
            return known
        kind: Any = {"P-256": jwk.ECKey, "Ed25519": jwk.OKPKey}[public["crv"]]
        key: Any = kind.import_key(public)
        self._keys[exact] = (key, key.thumbprint())
        if len(self._keys) > _KEYS_KEPT:
            self._keys.popitem(last=False)
        return self._keys[exact]


def _bound(ath: str | None, token: str) -> bool:
    digest = hashlib.sha256(token.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return ath is not None and hmac.compare_digest(ath, expected)
