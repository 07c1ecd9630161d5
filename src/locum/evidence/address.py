"""Find the address of a declared host, bounded in time.

A name that does not resolve says nothing about the host behind it: the fault may be our own
resolver's. So it is `Unavailable`, undecided, and never "down".
"""

from __future__ import annotations

import errno
import socket

from locum.evidence.deadline import within
from locum.model.refusal import Unavailable

_RESOLVE_SECONDS = 2.0
OURS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EMFILE})
"""What `connect` says where our own network or process is at fault, not the host."""


def resolve(host: str, port: int) -> str:
    """Give one numeric address of a host, IPv4 first.

    Raises:
        Unavailable: the name did not resolve, or not in time.
    """

    def look_up() -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(entry[4][0]) for entry in sorted(found, key=lambda entry: entry[0])]

    try:
        return within(_RESOLVE_SECONDS, look_up)[0]
    except (OSError, UnicodeError, IndexError):
        raise Unavailable(
            f"The name {host} does not resolve here, so nothing is known of it.",
            "Check the name in the estate and the resolver of this machine.",
        ) from None
