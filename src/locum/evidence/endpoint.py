"""See which certificate a TLS endpoint serves now."""

from __future__ import annotations

import socket
import ssl

from locum.evidence.address import resolve
from locum.evidence.deadline import within
from locum.model.refusal import Unavailable


def served_certificate(endpoint: str, server_name: str, seconds: float = 3.0) -> bytes:
    """The leaf certificate of an endpoint, DER; that it has the key is proved by the handshake.

    Args:
        endpoint: host and port; an IPv6 address in brackets.
        server_name: the name to ask for; the host where it is empty.
        seconds: for all of it.

    Raises:
        Unavailable: no handshake was done in time.
    """
    host, _, port = endpoint.rpartition(":")
    host = host.strip("[]")

    def look() -> bytes:
        # Whom it belongs to is decided by the caller, against the identity's own bundle; what
        # this machine trusts says nothing about that.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        address = (resolve(host, int(port)), int(port))
        with (
            socket.create_connection(address, timeout=seconds) as plain,
            context.wrap_socket(plain, server_hostname=server_name or host) as channel,
        ):
            return channel.getpeercert(binary_form=True) or b""

    try:
        found = within(seconds + 0.5, look)
    except (OSError, TimeoutError, ValueError):
        found = b""
    if not found:
        raise Unavailable(
            f"{endpoint} showed no certificate.", "Look whether it listens there, with TLS."
        )
    return found
