"""A guarded service on a free port: uvicorn with TLS and an application that can stream."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from locum.guard.asgi import Message, Receive, Send
from locum.guard.certificate import Issuer
from locum.guard.following import Follower, Published
from locum.guard.reporting import Reports
from locum.guard.revocations import RevokedSerials
from locum.guard.uvicorn import client_certificates_required, guarded
from tests.http.world import free_port
from tests.pki.authorities import Held
from tests.pki.rotating import RotatingWorld

PATIENCE = 1_000


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Answer `served`; at `/stream`, never end answering."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"more\n", "more_body": True})
        with suppress(TimeoutError):
            if (await asyncio.wait_for(receive(), 0.02))["type"] == "http.disconnect":
                return
    await send({"type": "http.response.body", "body": b"served\n"})


class Service:
    """A guarded service in a thread, and what follows Locum for it."""

    def __init__(
        self,
        world: RotatingWorld,
        folder: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        reports: Reports | None = None,
    ) -> None:
        self.port, self._world = free_port(), world
        pem = world.call("GET", "/pki/ca.pem").text
        authorities = folder / "authorities.pem"
        issuing = pem[: pem.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
        authorities.write_text(world.corporate.pem + issuing)
        self._connections: list[Connection] = []
        self._published = published = Published(world.origin, str(world.corporate.file))
        self.revocations = RevokedSerials(Issuer(pem))
        self.follower = Follower(self.revocations, published.lines, published.revocation_list)
        context = client_certificates_required(*world.server_held.files, str(authorities))
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                port=self.port,
                http=guarded(self.revocations, clock=clock, reports=reports),
                ssl_context_factory=lambda *_: context,
                log_level="warning",
                timeout_keep_alive=60,
            )
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Service:
        self._thread.start()
        until(lambda: self._server.started)
        self.follower.__enter__()
        until(lambda: not self.revocations.is_stale(datetime.now(UTC)))
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()
        self.follower.__exit__(None, None, None)
        self._published.close()
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=15)

    def connect(self, held: Held | tuple[str, str]) -> Connection:
        """Open a connection that stays open."""
        files = held if isinstance(held, tuple) else held.files
        self._connections.append(Connection(self._world, self.port, files))
        return self._connections[-1]


class Connection:
    """One TLS connection of a client."""

    def __init__(self, world: RotatingWorld, port: int, files: tuple[str, str]) -> None:
        context = ssl.create_default_context(cafile=str(world.corporate.file))
        context.load_cert_chain(*files)
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket = context.wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(self, path: str = "/") -> str:
        """Send a request, and give what of the answer comes first."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got or not got.partition(b"\r\n\r\n")[2]:
            part = self._socket.recv(4096)
            if not part:
                break
            got += part
        return got.decode()

    def wait_for_the_end(self) -> None:
        """Read on until the other end cuts the connection; raises after ten seconds without."""
        with suppress(ConnectionError, ssl.SSLEOFError):
            while self._socket.recv(4096):
                continue
        self._socket.close()

    def is_open(self) -> bool:
        """Whether a call on it is still answered."""
        return self.ask().startswith("HTTP/1.1 200")

    def close(self) -> None:
        self._socket.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(PATIENCE):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not become so")
