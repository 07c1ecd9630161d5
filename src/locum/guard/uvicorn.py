"""Guards a service that uvicorn serves: `http=guarded(revocations)` and a TLS context of ours.

TLS checks a client certificate at the handshake and never again. Here a connection of a backup is
cut as soon as the certificate is revoked, or once it is no longer known whether it is; and every
connection when its certificate ends. A running answer is cut with it. Each call passes
`RequireCertificate` first, so who connects with a revoked certificate is told why not.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from locum.guard.admission import Refused, admit
from locum.guard.asgi import EXTENSION, FIELD, RequireCertificate
from locum.guard.certificate import Certificate
from locum.guard.connections import Connections
from locum.guard.reporting import Reports
from locum.guard.revocations import RevokedSerials

LOOK_SECONDS = 1.0
"""How often a connection of a backup is looked at; a revocation that is told cuts it at once."""

_OTHERS_SECONDS = 60.0


def guarded(
    revocations: RevokedSerials,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    reports: Reports | None = None,
) -> type[HttpToolsProtocol]:
    """Make the protocol of a guarded service.

    Args:
        revocations: what is revoked; somebody must keep it up to date (`Follower`).
        clock: tells the time.
        reports: told of each primary certificate that is seen for the first time.

    Returns:
        What `uvicorn.Config` takes as `http`. WebSockets are not served.
    """
    connections = Connections()
    revocations.on_revoked(connections.cut)

    class Guarded(HttpToolsProtocol):
        _peer = b""
        _serial: int | None = None
        _timer: asyncio.TimerHandle | None = None

        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            app: Any = self.app
            self.app = RequireCertificate(app, revocations, clock=clock, reports=reports)
            self.ws_protocol_class = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            channel = transport.get_extra_info("ssl_object")
            if channel is not None:
                self._peer = channel.getpeercert(binary_form=True) or b""
            now = clock()
            found = admit(self._peer, revocations, now)
            if isinstance(found, Refused):  # the first call is told why; none comes in time: cut
                self._timer = self.loop.call_later(LOOK_SECONDS, transport.abort)
                return
            if found.backup:
                self._serial = found.serial
                connections.add(found.serial, transport, self.loop)
            self._look_again(found, now)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            if self._serial is not None:
                connections.remove(self._serial, self.transport)
            super().connection_lost(exc)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.scope["extensions"] = {EXTENSION: {FIELD: self._peer}}

        def _look(self) -> None:
            now = clock()
            found = admit(self._peer, revocations, now)
            if isinstance(found, Refused):
                self.transport.abort()
            else:
                self._look_again(found, now)

        def _look_again(self, found: Certificate, now: datetime) -> None:
            most = LOOK_SECONDS if found.backup else _OTHERS_SECONDS
            left = (found.not_after - now).total_seconds()
            self._timer = self.loop.call_later(min(most, left), self._look)

    return Guarded


def client_certificates_required(certificate: str, key: str, authorities: str) -> ssl.SSLContext:
    """Make the TLS context of a guarded service, for `ssl_context_factory` of `uvicorn.Config`.

    A certificate is wanted of every client. Each authority that is named is trusted by itself, so
    name Locum's issuing authority and not its root: another below that root is not watched here.
    Sessions are not resumed, since a resumed one skips the check of the chain.

    Args:
        certificate, key: the service's own, PEM files.
        authorities: those of primary certificates, and Locum's issuing authority; a PEM file.

    Raises:
        OSError: a file cannot be read, or is not what it must be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authorities)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context
