"""TLS servers that we did not write: OpenSSL's, and Java's where a JDK is installed."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    load_pem_private_key,
    pkcs12,
)

from tests.pki.rotating import RotatingWorld, RunningClock, lasting_port

PROGRAM = Path(__file__).with_name("Verify.java")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path / "world", clock=RunningClock(), plain=True)
    yield made
    made.close()


def lists(world: RotatingWorld) -> str:
    """Every authority's list, PEM."""
    ours = [
        x509.load_der_x509_crl(world.call("GET", path).content).public_bytes(Encoding.PEM).decode()
        for path in ("/pki/crl.der", "/pki/root.crl.der")
    ]
    return "".join([world.corporate.revocation_list(), *ours])


def s_client(port: int, files: tuple[str, str], authority: Path) -> str:
    """What `openssl s_client` tells of a connection on which it sends a line."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-cert", files[0],
         "-cert_chain", files[0], "-key", files[1], "-CAfile", str(authority),
         "-verify_return_error", "-quiet"],
        input="GET / HTTP/1.0\r\n\r\n", capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.stdout + done.stderr


@contextlib.contextmanager
def s_server(world: RotatingWorld, folder: Path) -> Iterator[int]:
    """`openssl s_server` that wants a client certificate which no list revokes."""
    port, anchors = lasting_port(), folder / "anchors.pem"
    # `-CRL` reads one list; a file of authorities may hold many.
    anchors.write_text(world.corporate.pem + world.root + lists(world))
    certificate, key = world.server_held.files
    running = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key", key,
         "-CAfile", str(anchors), "-crl_check", "-crl_check_all",
         "-Verify", "3", "-verify_return_error", "-www", "-quiet"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until_listening(port)
        yield port
    finally:
        running.terminate()
        running.wait(timeout=10)


def until_listening(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    raise AssertionError("nobody listens")


def test_s_client_is_served_with_the_backup_and_refused_after_the_cutover(
    running: RotatingWorld, tmp_path: Path
) -> None:
    grant, files = running.backed_up(tmp_path)
    with s_server(running, tmp_path) as port:
        said = s_client(port, files, running.corporate.file)
        assert "200 ok" in said, said
    new, cut = running.renewed(), time.monotonic()
    assert running.cutover(grant, new).json()["dead"]
    said = ""
    while "certificate revoked" not in said:
        with s_server(running, tmp_path) as port:
            said = s_client(port, files, running.corporate.file)
        assert time.monotonic() < cut + 20, said
    print(f"openssl s_client: refused {1000 * (time.monotonic() - cut):.0f} ms after the cutover")
    with s_server(running, tmp_path) as port:
        assert "200 ok" in s_client(port, new.files, running.corporate.file)


class JavaServer:
    """Verify.java as a program of its own."""

    def __init__(self, world: RotatingWorld, folder: Path, how: str) -> None:
        self._world, store = world, folder / "server.p12"
        certificate, key = (Path(one).read_bytes() for one in world.server_held.files)
        store.write_bytes(
            pkcs12.serialize_key_and_certificates(
                b"server",
                load_pem_private_key(key, None),  # type: ignore[arg-type]
                x509.load_pem_x509_certificate(certificate),
                None,
                BestAvailableEncryption(b"changeit"),
            )
        )
        anchors = folder / "anchors.pem"
        anchors.write_text(world.corporate.pem + world.root)
        self._process = subprocess.Popen(
            ["java", str(PROGRAM), how, str(store), "changeit", str(anchors)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._told = self._process.stdout
        self.port = int(self._told.readline())

    def said(self, files: tuple[str, str]) -> str:
        """What it says of a connection with this certificate."""
        context = ssl.create_default_context(cafile=str(self._world.corporate.file))
        context.load_cert_chain(*files)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            contextlib.suppress(ssl.SSLError, ConnectionError),
            context.wrap_socket(plain, server_hostname="127.0.0.1") as channel,
        ):
            channel.recv(100)
        return self._told.readline()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._told.close()


@contextlib.contextmanager
def java(world: RotatingWorld, folder: Path, how: str) -> Iterator[JavaServer]:
    made = JavaServer(world, folder, how)
    try:
        yield made
    finally:
        made.close()


if shutil.which("javac") and shutil.which("java"):
    # Not on every machine: a JDK is 200 MB, so `make test` does not fetch one.

    def test_javas_tls_asks_the_responder(running: RotatingWorld, tmp_path: Path) -> None:
        grant, files = running.backed_up(tmp_path)
        with java(running, tmp_path, "ocsp") as server:
            assert server.said(files).startswith("accepted")
            assert running.cutover(grant, running.renewed()).json()["dead"]
            cut = time.monotonic()
            said = server.said(files)
            assert "Certificate has been revoked" in said, said
            assert "SUPERSEDED" in said
        print(f"Java by OCSP: refused {1000 * (time.monotonic() - cut):.0f} ms after the cutover")

    def test_javas_tls_reads_the_part_that_the_certificate_names(
        running: RotatingWorld, tmp_path: Path
    ) -> None:
        grant, files = running.backed_up(tmp_path)
        with java(running, tmp_path, "crl") as server:
            assert server.said(files).startswith("accepted")
        assert running.cutover(grant, running.renewed()).json()["dead"]
        # Java keeps a list for half a minute, so another Java is asked.
        with java(running, tmp_path, "crl") as server:
            said = server.said(files)
            assert "Certificate has been revoked" in said, said
