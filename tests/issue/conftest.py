"""Real servers on loopback: PostgreSQL with SCRAM, and a web server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from locum.model.estate import Database
from locum.model.secret import Secret
from locum.store.opening import open_store
from locum.store.port import Store
from tests.servers.postgres import installed_programs, reachable

from .openbao import OpenBao

NOBODY = 65_534


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Postgres:
    """A running PostgreSQL; every statement is in its log."""

    folder: Path
    port: int
    password: Secret
    programs: Path

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def run(self, program: str, *arguments: str) -> None:
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(
            [self.programs / program, "-D", self.folder / "data", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **user,  # type: ignore[call-overload]
        )

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' "
            "-c fsync=off -c log_statement=all -c log_connections=on"
        )
        self.run("pg_ctl", "-w", "-l", str(self.log), "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")

    def connect(self, user: str = "postgres", password: Secret | None = None) -> Any:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            user=user,
            password=(password or self.password).reveal(),
            autocommit=True,
        )

    def execute(self, *statements: str | sql.Composable) -> None:
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not under pytest's own folder, which it keeps to the user who runs the tests.
    with tempfile.TemporaryDirectory(prefix="locum-postgres-") as place:
        yield from run_postgres(Path(place))


def run_postgres(folder: Path) -> Iterator[Postgres]:
    password = Secret("super-secret-of-the-tests")
    (folder / "password").write_text(password.reveal())
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        os.chown(folder / "password", NOBODY, NOBODY)
    programs = reachable(
        installed_programs(), NOBODY if os.geteuid() == 0 else os.geteuid(), folder
    )
    server = Postgres(folder, free_port(), password, programs)
    server.run(
        "initdb", "-U", "postgres", f"--pwfile={folder / 'password'}", "-A", "scram-sha-256", "-N"
    )
    server.start()
    yield server
    server.stop()


@dataclass
class Role:
    """A role of the server, and the least privileged role that may open it."""

    server: Postgres
    name: str
    database: Database
    admin: Secret


@pytest.fixture
def role(postgres: Postgres) -> Role:
    """Made just as docs/targets.md tells an operator to."""
    admin = Secret("admin-password-of-the-tests")
    postgres.execute(
        "DROP ROLE IF EXISTS orders_admin",
        "DROP ROLE IF EXISTS locum",
        "CREATE ROLE orders_admin NOLOGIN",
        sql.SQL("CREATE ROLE locum LOGIN CREATEROLE PASSWORD {}").format(admin.reveal()),
        "GRANT orders_admin TO locum WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
        "GRANT pg_signal_backend TO locum",
    )
    return Role(postgres, "orders_admin", database_at(postgres.port), admin)


def database_at(port: int) -> Database:
    return Database(
        "orders", "127.0.0.1", port, "postgres", "locum", "orders-admin", sslmode="disable"
    )


@dataclass
class Web:
    """A web server whose answer a test sets; it remembers what it was asked."""

    url: str
    answer: Callable[[str, dict[str, str], bytes], tuple[int, bytes]] = lambda *_: (200, b"")
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def answers(self, status: int, body: object = b"") -> None:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = lambda *_: (status, sent)


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.asked.append((self.path, dict(self.headers), body))
            status, answer = told.answer(self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Web(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    server = OpenBao(tmp_path_factory.mktemp("openbao"), free_port(), free_port())
    server.start()
    server.initialise()
    yield server
    server.stop()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'locum.db'}", bytes(32), lambda: datetime.now(UTC))
    yield store
    store.close()
