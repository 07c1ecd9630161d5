"""Who is on the other end of a TLS connection: the client certificate, asked for and never forced.

People call without one. A certificate that is presented must chain to some trust bundle of the
estate, or the handshake fails; which identity it is, if any, is decided for each call. The trusted
authorities follow the estate in force: a handshake takes those of that moment.
"""

from __future__ import annotations

import ssl
from asyncio import BaseTransport
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from locum.model.estate import Estate
from locum.model.trust import CertificateTrust

EXTENSION = "tls"


class PeerProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose calls carry the client certificate, DER, in the scope's extensions."""

    peer = b""

    def connection_made(self, transport: BaseTransport) -> None:
        """Take the certificate that the handshake verified."""
        super().connection_made(transport)  # type: ignore[arg-type]
        channel = transport.get_extra_info("ssl_object")
        if channel is not None:
            self.peer = channel.getpeercert(binary_form=True) or b""

    def on_message_begin(self) -> None:
        """Begin a call's scope with it."""
        super().on_message_begin()
        if self.peer:
            self.scope["extensions"] = {EXTENSION: {"client_certificate": self.peer}}


def peer_of(scope: Any) -> bytes:
    """The client certificate of a call, DER; empty where it came without."""
    told = (scope.get("extensions") or {}).get(EXTENSION, {})
    peer: bytes = told.get("client_certificate", b"")
    return peer


def authorities_of(estate: Estate) -> str:
    """Every authority that some trust bundle of the estate names, PEM."""
    return "".join(
        trust.certificates.strip() + "\n"
        for _, trust in sorted(estate.trust.items())
        if isinstance(trust, CertificateTrust)
    )


def serving_context(certificate: str, key: str, authorities: Callable[[], str]) -> ssl.SSLContext:
    """A server's TLS context whose every handshake trusts the authorities of that moment.

    Args:
        certificate, key: the server's own, PEM files.
        authorities: gives those that sign client certificates, PEM; asked at every handshake.
    """
    first = _context(certificate, key)
    trusted: list[tuple[str, ssl.SSLContext]] = []

    def choose(channel: ssl.SSLObject, _name: str | None, _first: ssl.SSLContext) -> None:
        pem = authorities()
        if not trusted or trusted[0][0] != pem:
            context = _context(certificate, key)
            if pem:
                context.load_verify_locations(cadata=pem)
            trusted[:] = [(pem, context)]
        channel.context = trusted[0][1]

    first.sni_callback = choose
    return first


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_OPTIONAL
    # A bundle may name intermediate authorities only.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # A resumed session would bring a certificate whose chain nobody looked at again.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context
