"""Prove a call: its access token and its DPoP proof, under the throttles.

It needs no store and no secret: whether the key is registered is looked up by the act. So a front
(`http.front`) does it in a process of its own, beside the one that decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from locum.http.access_token import AccessTokens
from locum.http.proof import ProofVerifier
from locum.http.throttle import Throttle
from locum.model.presenter import Presenter
from locum.service.caller import Proven, unproved


def named_once(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; one that is sent twice proves nothing (RFC 9449 §4.3).

    Args:
        raw: names and values as they came.

    Returns:
        Of a header that came more than once, its values joined as RFC 9110 §5.2 reads them, which
        is neither a proof nor a token.
    """
    found: dict[str, str] = {}
    for name, value in raw:
        word, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[word] = f"{found[word]}, {text}" if word in found else text
    return found


class Presented(Protocol):
    """Knows workloads by certificate (DER) or token; see `service.presenters`."""

    def __call__(self, certificate: bytes, token: str, now: datetime) -> Presenter:
        """Know a workload; may wait for the network."""

    def at_once(self, certificate: bytes, token: str, now: datetime) -> Presenter | None:
        """Know a workload without waiting."""


@dataclass(frozen=True)
class Prover:
    """What proving a call takes.

    Args:
        clock: gives aware UTC.
        proofs: verifies DPoP proofs.
        tokens: verifies access tokens.
        throttle: counts calls by source and by key, in this process.
        presented: knows workloads by certificate (DER) or token; `None` in a front, which has no
            estate to know them by.
    """

    clock: Callable[[], datetime]
    proofs: ProofVerifier
    tokens: AccessTokens
    throttle: Throttle
    presented: Presented | None = None

    def prove(
        self, method: str, path: str, headers: Mapping[str, str], source: str, peer: bytes = b""
    ) -> Proven:
        """Prove one call: by a registered key, or as a workload by its primary.

        Args:
            path: the call's path, without query.
            headers: by lower-case name.
            source: the network address that the call came from.
            peer: the client certificate of its connection, DER; empty where there is none.

        Raises:
            Unauthenticated: something is missing or does not hold.
            TooMany: this source or this key calls too often.
        """
        now = self.clock()
        self.throttle.take(f"source:{source}", now)
        shown = by_primary(headers, peer)
        if shown is not None:
            return self.workload(*shown, source, now)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "dpop" or not token:
            raise unproved()
        proven, _ = self.proofs.verify(
            headers.get("dpop"), method, path, now, token=token, source=source
        )
        if self.tokens.verify(token, now) != proven.jkt:
            raise unproved()
        self.throttle.take(f"key:{proven.jkt}", now)
        return proven

    def waits(self, headers: Mapping[str, str], peer: bytes) -> bool:
        """Whether proving a call may wait for the network, so must not be done on an event loop."""
        shown = by_primary(headers, peer)
        if shown is None or self.presented is None:
            return False
        return self.presented.at_once(*shown, self.clock()) is None

    def workload(self, peer: bytes, token: str, source: str, now: datetime) -> Proven:
        """Prove a workload, whose source was counted already.

        Args:
            peer: its certificate, DER; empty where it shows a token.

        Raises:
            Unauthenticated: it is nobody's that the estate knows, ended, or revoked.
            TooMany: it calls too often.
        """
        if self.presented is None:
            raise unproved()
        shown = peer or token.encode()
        key = f"{'x5t' if peer else 'jwt'}:{hashlib.sha256(shown).hexdigest()}"
        presenter = self.presented(peer, token, now)
        self.throttle.take(f"key:{key}", now)
        return Proven(key, "", source, presenter)


def by_primary(headers: Mapping[str, str], peer: bytes) -> tuple[bytes, str] | None:
    """The certificate or the token that a workload shows; `None` where a key is to be proved."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return b"", token
    return (peer, "") if peer and not scheme else None
