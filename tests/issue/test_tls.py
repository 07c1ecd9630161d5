"""The same roads by TLS, with a certificate that is trusted and one that is not.

The server of the wheel is built without TLS, so a gate in front of it ends TLS as a server does.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from locum.evidence.database import NotConnected
from locum.issue.generate import new_password
from locum.issue.postgresql_role import close_role, open_role, preflight, prove_dead, try_login

from .conftest import Role


def certify(folder: Path) -> Path:
    """Make `server.key` and `server.crt`, which is its own authority, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "of the tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "server.crt"


class Gate(socketserver.ThreadingTCPServer):
    """Says yes to the request for TLS, and passes everything on to the real server."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.server_port = port
        super().__init__(("127.0.0.1", 0), Passage)


class Passage(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        gate = self.server
        assert isinstance(gate, Gate)
        if len(self.request.recv(8, socket.MSG_WAITALL)) < 8:
            return
        self.request.sendall(b"S")
        with contextlib.suppress(OSError):
            inside = gate.context.wrap_socket(self.request, server_side=True)
            with inside, socket.create_connection(("127.0.0.1", gate.server_port)) as server:
                threading.Thread(target=pass_on, args=(server, inside), daemon=True).start()
                pass_on(inside, server)


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while heard := source.recv(65_536):
            sink.sendall(heard)
        sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def by_tls(role: Role, tmp_path: Path) -> Iterator[tuple[Role, Path]]:
    authority = certify(tmp_path)
    with Gate(tmp_path, role.server.port) as gate:
        threading.Thread(target=gate.serve_forever, daemon=True).start()
        database = msgspec.structs.replace(
            role.database, port=gate.server_address[1], sslmode="verify-full"
        )
        yield Role(role.server, role.name, database, role.admin), authority
        gate.shutdown()


def test_a_role_is_opened_and_closed_by_verified_tls(
    by_tls: tuple[Role, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    role, authority = by_tls
    monkeypatch.setenv("PGSSLROOTCERT", str(authority))
    password = new_password(os.urandom)
    preflight(role.database, role.name, role.admin)
    until = datetime.now(UTC) + timedelta(minutes=5)
    open_role(role.database, role.name, role.admin, password, until)
    try_login(role.database, role.name, password)
    close_role(role.database, role.name, role.admin, os.urandom)
    prove_dead(role.database, role.name, password)


def test_a_server_whose_certificate_is_not_trusted_is_not_talked_to(
    by_tls: tuple[Role, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    role, _ = by_tls
    monkeypatch.setenv("PGSSLROOTCERT", str(certify_elsewhere(tmp_path)))
    with pytest.raises(NotConnected, match="not trusted") as refused:
        preflight(role.database, role.name, role.admin)
    assert not refused.value.down


def certify_elsewhere(tmp_path: Path) -> Path:
    other = tmp_path / "other"
    other.mkdir()
    return certify(other)
