"""Locum looks itself: the grant ends when the endpoint serves the new primary, and not before."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from locum.evidence.endpoint import served_certificate
from locum.model.refusal import Unavailable
from locum.service.rounds import watch_cutovers
from tests.pki.authorities import HOUR, Held, csr, held
from tests.pki.rotating import NAME, RotatingWorld, lasting_port


class Endpoint:
    """A TLS service whose certificate can be changed; or something that is none."""

    def __init__(self) -> None:
        self.port, self.served = lasting_port(), None
        self.odd: Callable[[socket.socket], None] | None = None
        self.context: ssl.SSLContext | None = None
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def serve(self, shown: Held) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*shown.files)
        self.context, self.odd = context, None

    def _serve(self) -> None:
        while not self._ended:
            with contextlib.suppress(OSError):
                plain, _ = self._listening.accept()
                with plain:
                    plain.settimeout(5)
                    if self.odd is not None:
                        self.odd(plain)
                    elif self.context is not None:
                        with self.context.wrap_socket(plain, server_side=True) as channel:
                            channel.recv(1)

    def close(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join(timeout=10)
        self._listening.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()


@pytest.fixture
def watched(tmp_path: Path, endpoint: Endpoint) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path / "world", endpoint=f"127.0.0.1:{endpoint.port}")
    yield made
    made.close()


def serving(world: RotatingWorld, name: str = NAME) -> Held:
    return world.corporate.issue("payments", (name,), begins=-HOUR, server=True)


def looked(world: RotatingWorld) -> int:
    return watch_cutovers(world.started.locum)


def test_the_grant_ends_when_the_endpoint_serves_the_new_primary(
    watched: RotatingWorld, endpoint: Endpoint
) -> None:
    old = watched.corporate.issue("payments", (NAME,), begins=-2 * HOUR, server=True)
    watched.primary = old
    grant, _ = watched.opened()
    endpoint.serve(old)
    assert looked(watched) == 0
    endpoint.serve(serving(watched))
    assert looked(watched) == 1
    told = watched.call("GET", f"/v1/grants/{grant}", old).json()
    assert (told["state"], told["how"], told["dead"]) == ("closed", "cutover", True)
    assert looked(watched) == 0


def test_another_certificate_ends_nothing(
    watched: RotatingWorld, endpoint: Endpoint, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = watched.announce().json()["id"]
    value = watched.activate(request, csr(key)).json()["credential"]["value"]
    backup = held(x509.load_pem_x509_certificate(value.encode()), key, tmp_path, "backup")
    earlier = watched.corporate.issue("payments", (NAME,), begins=-3 * HOUR, server=True)
    client_only = watched.corporate.issue("payments", (NAME,), begins=-HOUR)
    for shown in (backup, earlier, client_only, serving(watched, "other.internal")):
        endpoint.serve(shown)
        assert looked(watched) == 0


def hang(plain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        plain.recv(100_000)
        plain.recv(1)


def garbage(plain: socket.socket) -> None:
    plain.sendall(b"\x16\x03\x03\x7f\xff" + b"\xff" * 40_000)


def goodbye(plain: socket.socket) -> None:
    plain.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def drip(plain: socket.socket) -> None:
    """A handshake that never stands still and never gets on."""
    plain.recv(100_000)
    with contextlib.suppress(OSError):
        plain.sendall(b"\x16\x03\x03\x3f\xff")
        for _ in range(1_200):
            plain.sendall(b"\x02")
            time.sleep(0.05)


@pytest.mark.parametrize("odd", [hang, garbage, goodbye, drip])
def test_what_speaks_no_tls_ends_nothing_and_takes_no_longer_than_said(
    endpoint: Endpoint, odd: Callable[[socket.socket], None]
) -> None:
    endpoint.odd = odd
    began = monotonic()
    with pytest.raises(Unavailable, match="showed no certificate"):
        served_certificate(f"127.0.0.1:{endpoint.port}", NAME, seconds=0.3)
    assert monotonic() - began < 30


def test_an_endpoint_that_is_not_there_is_unavailable() -> None:
    for place in ("127.0.0.1:1", "no-such-host.invalid:443", "127.0.0.1:0", "127.0.0.1:x", ":"):
        with pytest.raises(Unavailable):
            served_certificate(place, "", seconds=0.5)
