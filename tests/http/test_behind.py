"""The deciding side of a front: no front waits for ever on one that has stopped to listen."""

from __future__ import annotations

import socket
from typing import Any

from locum.http.behind import Behind


def test_a_front_whose_calls_can_no_longer_be_read_is_told_so() -> None:
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    nothing: Any = None
    behind = Behind(ours, nothing, nothing, nothing)
    behind.start()
    theirs.sendall((3).to_bytes(4) + b"\xc1\xc1\xc1")  # a frame that is no MessagePack
    while theirs.recv(64):
        continue
    theirs.close()
    behind.join()
