"""A session at a declared PostgreSQL server, bounded in time.

SCRAM is the only way that we log in: `require_auth` keeps libpq from handing a password to a server
that asks for it in the clear, and from mistaking a server that lets everybody in for one that
accepted the password. The SQLSTATE of a refused login, which libpq keeps to itself, is read from
its protocol trace; the server's words may be in any language.
"""

from __future__ import annotations

import os
import re
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from locum.evidence.address import resolve
from locum.model.estate import Database
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.secret import Secret

LOGIN_SECONDS = 3.0
SESSION_SECONDS = 5.0
_SQLSTATE = re.compile(
    rb'^B\t\d+\tErrorResponse\t S "[^"]*" V "[A-Z]+" C "([0-9A-Z]{5})" ', re.MULTILINE
)
_TRUST = re.compile("certificate|SSL|require_auth|requirement")
_SERVES_NOBODY = ("57P01", "57P02", "57P03", "531", "532", "08", "58")
"""How a SQLSTATE begins by which a server says that it serves nobody: it stops, starts, lost its
disk or its memory. Not 53300, which may as well mean a limit on our own role."""


class NotConnected(Unavailable):
    """No session came about.

    Args:
        sqlstate: what the server said; empty where it said nothing.
        down: the server refused, was silent, or says that it serves nobody; otherwise the fault
            may be ours, and nothing is known of it.
    """

    def __init__(self, fact: str, remedy: str, *, sqlstate: str = "", down: bool = False) -> None:
        super().__init__(fact, remedy)
        self.sqlstate = sqlstate
        self.down = down


@contextmanager
def session(
    database: Database, role: str, password: Secret
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Log in, give an autocommitting session, and end it; cut it after `SESSION_SECONDS`.

    Raises:
        NotConnected: no session, and why.
        Unavailable: the session broke off, or a statement was refused.
        MalformedInput: the role's name cannot be one.
    """
    connection: psycopg.Connection[tuple[Any, ...]] = psycopg.Connection(
        _log_in(database, role, password)
    )
    open_still = threading.Lock()

    def cut() -> None:
        # A server that is stopped but not dead answers no query and sends no end of file.
        if open_still.acquire(blocking=False):
            with socket.socket(fileno=os.dup(connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
            open_still.release()

    timer = threading.Timer(SESSION_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        connection.autocommit = True
        yield connection
    except psycopg.Error as error:
        raise Unavailable(
            f"The database {database.name} did not do what it was asked"
            f"{f' (SQLSTATE {error.sqlstate})' if error.sqlstate else ', or broke off'}.",
            f"Look at the log of {database.host}:{database.port}; it will be tried again.",
        ) from None
    finally:
        timer.cancel()
        with open_still:
            connection.close()


def _log_in(database: Database, role: str, password: Secret) -> pq.abc.PGconn:
    where = f"{database.name} ({database.host}:{database.port})"
    if not role.isprintable():
        # The trace that is read below repeats the name, and a line feed in it could forge a line.
        raise MalformedInput("A role's name is printable.", "Declare the role's name as it is.")
    line = pq.PGconn.connect_start(_conninfo(database, role, password).encode())
    end = monotonic() + LOGIN_SECONDS
    trace = os.memfd_create("libpq-trace")
    try:
        if line.status != pq.ConnStatus.BAD:
            line.trace(trace)
            line.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        while (step := line.connect_poll()) not in (
            pq.PollingStatus.OK,
            pq.PollingStatus.FAILED,
        ):
            reading = [line.socket] if step == pq.PollingStatus.READING else []
            writing = [] if reading else [line.socket]
            if not any(select.select(reading, writing, [], max(0.0, end - monotonic()))):
                raise NotConnected(
                    f"The database {where} did not answer within {LOGIN_SECONDS:g} s.",
                    "Bring it back; it will be tried again.",
                    down=True,
                )
        line.untrace()
        if step == pq.PollingStatus.FAILED:
            said = _SQLSTATE.findall(os.pread(trace, 65_536, 0))
            raise _why_not(where, role, said[-1].decode() if said else "", line)
        line.nonblocking = 1
    except NotConnected:
        line.finish()
        raise
    finally:
        os.close(trace)
    return line


def _conninfo(database: Database, role: str, password: Secret) -> str:
    try:
        address = resolve(database.host, database.port)
    except Unavailable as error:
        raise NotConnected(error.fact, error.remedy) from None
    return make_conninfo(
        host=database.host,
        hostaddr=address,
        port=database.port,
        dbname=database.dbname,
        user=role,
        password=password.reveal(),
        sslmode=database.sslmode,
        require_auth="scram-sha-256",
        gssencmode="disable",
        application_name="locum",
        options="-c statement_timeout=4000 -c lock_timeout=3000",
    )


def _why_not(where: str, role: str, sqlstate: str, line: pq.abc.PGconn) -> NotConnected:
    if sqlstate.startswith(_SERVES_NOBODY):
        return NotConnected(
            f"The database {where} serves nobody now (SQLSTATE {sqlstate}).",
            "Bring it back; it will be tried again.",
            sqlstate=sqlstate,
            down=True,
        )
    if sqlstate:
        return NotConnected(
            f"The database {where} refused the role {role} (SQLSTATE {sqlstate}).",
            "Check the role, its sealed password and pg_hba.conf.",
            sqlstate=sqlstate,
        )
    if _TRUST.search(line.get_error_message()):
        return NotConnected(
            f"The database {where} is not trusted, or does not log {role} in by SCRAM.",
            "Check `sslmode`, PGSSLROOTCERT, and that pg_hba.conf says scram-sha-256.",
        )
    return NotConnected(
        f"The database {where} refused or broke the connection.",
        "Bring it back; it will be tried again.",
        down=True,
    )
