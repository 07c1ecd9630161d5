"""Start the fronts, keep them going, and end them: `locum serve` with `server.fronts`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading

import msgspec
import structlog
from litestar.types import ASGIApp

from locum.http.behind import Behind
from locum.http.face import Face
from locum.http.frames import FrontSettings, framed
from locum.model.refusal import MalformedInput

_log = structlog.get_logger("locum.fronts")
_BACKLOG = 2_048
_AGAIN = 0.5
_GRACE = 15


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """Sockets that share one port, one for each front, so that the kernel spreads the calls.

    Raises:
        MalformedInput: the address cannot be listened on, or is taken already.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # Sharing would let two servers of one user take each other's calls: so first without.
        with socket.create_server((host, port), family=family) as alone:
            port = alone.getsockname()[1]
        return [
            socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=True)
            for _ in range(count)
        ]
    except OSError as error:
        raise MalformedInput(
            f"Cannot listen on {host} port {port}: {error.strerror}.",
            "Stop what listens there, or set another `server.port` (or `--port`).",
        ) from None


class Fronts:
    """The fronts of one deciding process.

    Args:
        settings: what each is told.
        listening: one listening socket for each.
        face: what the endpoints work with.
        app: the application behind.
        loop: the event loop that the application runs on.
    """

    def __init__(
        self,
        settings: FrontSettings,
        listening: list[socket.socket],
        face: Face,
        app: ASGIApp,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._settings, self._face, self._app, self._loop = settings, face, app, loop
        self._listening = listening
        self._stopping = threading.Event()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._behind: dict[int, Behind] = {}
        self._keepers = [
            threading.Thread(target=self._keep, args=(number,), name=f"front-{number}", daemon=True)
            for number in range(len(listening))
        ]

    def start(self) -> None:
        """Start them all; one that dies is started again."""
        for keeper in self._keepers:
            keeper.start()

    def trust(self, authorities: str) -> None:
        """Tell every front, and those that are begun later, whose client certificates to take."""
        self._settings = msgspec.structs.replace(self._settings, authorities=authorities)
        for behind in list(self._behind.values()):
            behind.trust(authorities)

    def stop(self) -> None:
        """Let each finish the calls that it has, and wait for it."""
        self._stopping.set()
        for process in list(self._processes.values()):
            process.send_signal(signal.SIGTERM)
        for keeper in self._keepers:
            keeper.join(timeout=_GRACE)
        for listening in self._listening:
            listening.close()

    def _keep(self, number: int) -> None:
        while not self._stopping.is_set():
            try:
                self._run(number)
            except OSError as error:  # no process or socket to be had now
                _log.error("front.not_started", front=number, error=error.strerror)
            if not self._stopping.is_set():
                _log.error("front.died", front=number)
                self._stopping.wait(_AGAIN)

    def _run(self, number: int) -> None:
        ours, theirs = socket.socketpair()
        listening = self._listening[number].fileno()
        with theirs:
            process = self._processes[number] = subprocess.Popen(
                [sys.executable, "-m", "locum.http.front", str(listening), str(theirs.fileno())],
                pass_fds=(listening, theirs.fileno()),
            )
        if self._stopping.is_set():  # told to stop between the start and its being known
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(OSError):  # it died at once, which the wait below finds
            ours.sendall(framed(self._settings))
        behind = self._behind[number] = Behind(ours, self._face, self._app, self._loop)
        behind.start()
        process.wait()
        behind.join()
