"""Open connections by the serial of their client certificate, so that they can be cut."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Connections:
    """Connections of backups that are open now; any thread may cut them."""

    def __init__(self) -> None:
        self._open: dict[int, dict[asyncio.Transport, asyncio.AbstractEventLoop]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(found) for found in self._open.values())

    def add(
        self, serial: int, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Register a connection, in its loop."""
        with self._lock:
            self._open.setdefault(serial, {})[transport] = loop

    def remove(self, serial: int, transport: asyncio.Transport) -> None:
        """Forget a connection; it may be forgotten already."""
        with self._lock:
            found = self._open.get(serial, {})
            found.pop(transport, None)
            if not found:
                self._open.pop(serial, None)

    def cut(self, serial: int) -> None:
        """Have every connection of a certificate aborted by its loop, running answers too."""
        with self._lock:
            found = list(self._open.get(serial, {}).items())
        for transport, loop in found:
            with suppress(RuntimeError):  # the loop is closed, and its connections with it
                loop.call_soon_threadsafe(transport.abort)
