"""Presenters: workloads known by what their primary presents, remembered for a moment.

Whose a certificate is follows from the estate in force and its bundles' revocation lists; it is
worked out anew at least every second, so what was known before a change is soon forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Literal

import structlog
from joserfc.jwk import KeySet

from locum.evidence.pins import NotKnown
from locum.evidence.presented_certificate import identity_of_certificate
from locum.evidence.workload_token import identity_of_token
from locum.model.estate import Estate
from locum.model.presenter import Presenter
from locum.model.refusal import MalformedInput, Unauthenticated
from locum.model.trust import TokenTrust
from locum.service.caller import unproved
from locum.service.wiring import Locum

KNOWN = timedelta(seconds=1)
_KEPT = 4_096
_log = structlog.get_logger("locum.workloads")


class Presenters:
    """Who presents a certificate or token, looked up by its exact bytes."""

    def __init__(self, locum: Locum) -> None:
        self._locum = locum
        self._known: OrderedDict[tuple[bytes, str], tuple[Estate, datetime, Presenter]] = (
            OrderedDict()
        )

    def __call__(self, certificate: bytes, token: str, now: datetime) -> Presenter:
        """Know a workload.

        Args:
            certificate: what its TLS handshake proved, DER; empty where a token is shown.
            token: a workload token; empty where a certificate is shown.

        Raises:
            Unauthenticated: it is nobody's that the estate knows, ended, or revoked.
        """
        estate, shown = self._locum.estate.now, (certificate, token)
        known = self.at_once(certificate, token, now)
        if known is not None:
            return known
        if certificate:
            presenter = presented(self._locum, certificate, now, "client")
        else:
            found = identity_of_token(token, estate, self._keys, now)
            if isinstance(found, NotKnown):
                # A bearer token is anybody's to send, so only the operator is told why.
                _log.info("token.unknown", fact=found.fact, remedy=found.remedy)
                raise unproved()
            presenter = found
        self._known[shown] = (estate, now, presenter)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return presenter

    def at_once(self, certificate: bytes, token: str, now: datetime) -> Presenter | None:
        """Who presents this, where that is known without looking; `None` where it is not.

        To look may wait for a revocation list or for an issuer's keys from the network.
        """
        known = self._known.get((certificate, token))
        if known is None or known[0] is not self._locum.estate.now:
            return None
        return known[2] if timedelta(0) <= now - known[1] < KNOWN else None

    def _keys(self, trust: TokenTrust, anew: bool) -> KeySet:
        return self._locum.trust.keys(trust, anew=anew)


def presented(
    locum: Locum, certificate: bytes, now: datetime, purpose: Literal["client", "server"]
) -> Presenter:
    """Whose certificate this is, DER or PEM.

    Args:
        purpose: what it was used for.

    Raises:
        Unauthenticated: it is nobody's that the estate knows, ended, or revoked.
    """
    estate = locum.estate.now
    found = identity_of_certificate(certificate, estate, locum.trust.revoked, now, purpose)
    return _known(found)


def seen_presenter(locum: Locum, certificate: str) -> Presenter:
    """Whose certificate somebody saw in use, PEM.

    Raises:
        MalformedInput: it is nobody's that the estate knows, ended, or revoked.
    """
    try:
        return presented(locum, certificate.encode(), locum.clock(), "client")
    except Unauthenticated as error:
        raise MalformedInput(error.fact, error.remedy) from None


def _known(found: Presenter | NotKnown) -> Presenter:
    if isinstance(found, NotKnown):
        raise Unauthenticated(found.fact, found.remedy)
    return found
