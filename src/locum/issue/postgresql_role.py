"""The target `postgresql-role`: a login role that exists for one path.

Dormant, the role is `NOLOGIN`, its password is one that nobody knows, and `VALID UNTIL` lies in the
past. Opening it sets a new password and the grant's end as `VALID UNTIL`, so that no new login
succeeds after the end even if every process of ours is dead (law 3). Closing makes it dormant and
ends its sessions until none is left.

Why `NOLOGIN` too: a server reads the password and its end when a login begins, and a client may
take `authentication_timeout` to finish; `NOLOGIN` is read when the login ends, and stops that one.

Only the SCRAM verifier of a password is sent, made by libpq on this side, so neither the wire nor
a log of statements sees the password. Everything here may be repeated any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from locum.evidence.database import NotConnected, session
from locum.issue.generate import new_password
from locum.model.estate import Database
from locum.model.refusal import Unavailable
from locum.model.secret import Secret

_Connection = psycopg.Connection[tuple[Any, ...]]
_REFUSED = frozenset({"28P01", "28000"})
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ROUNDS = 12

_ROLE = """
SELECT r.rolsuper, r.rolcreaterole, r.rolreplication, r.rolbypassrls,
       a.rolsuper OR a.rolcreaterole
           AND (current_setting('server_version_num')::int < 160000
                OR pg_has_role(a.oid, r.oid, 'MEMBER WITH ADMIN OPTION')),
       a.rolsuper OR pg_has_role(a.oid, r.oid, 'USAGE')
           OR pg_has_role(a.oid, 'pg_signal_backend', 'USAGE'),
       a.rolsuper
FROM pg_roles r, pg_roles a WHERE r.rolname = %s AND a.rolname = current_user
"""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
_END_ALL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s"
_AWAIT_ONE = """
SELECT pg_terminate_backend(pid, 200) FROM pg_stat_activity WHERE usename = %s LIMIT 1
"""


class RoleAttributes(msgspec.Struct, frozen=True):
    """What is remarkable about a role that can be opened.

    Args:
        powers: attributes beyond a plain login, e.g. `SUPERUSER`; a reviewer should know them.
    """

    powers: tuple[str, ...]


def preflight(database: Database, role: str, admin: Secret) -> RoleAttributes:
    """Find out, without changing anything, that the role could be opened and closed.

    Args:
        admin: the password of the database's administrating role.

    Raises:
        Unavailable: no such role, the administrating role may not do it, or the server lets the
            role in without its password.
    """
    with session(database, database.admin, admin) as connection:
        row = connection.execute(_ROLE, (role,)).fetchone()
    if row is None:
        raise Unavailable(
            f"The database {database.name} has no role {role}.",
            f'Make it: `CREATE ROLE "{role}" NOLOGIN;`, with the rights that it shall have.',
        )
    superuser, createrole, replication, bypassrls, may_alter, may_signal, by_superuser = row
    if role == database.admin:
        raise Unavailable(
            f"{role} is the role that Locum itself uses, so closing it would lock Locum out.",
            "Declare another role as the target.",
        )
    if not may_alter or not may_signal or (superuser and not by_superuser):
        raise Unavailable(
            f"{database.admin} may not {'set the password' if not may_alter else 'end sessions'} "
            f"of {role}{', a superuser' if superuser else ''}.",
            f'`GRANT "{role}" TO "{database.admin}" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE; '
            f'GRANT pg_signal_backend TO "{database.admin}";`, and CREATEROLE for it.',
        )
    _needs_its_password(database, role)
    powers = {
        "SUPERUSER": superuser,
        "CREATEROLE": createrole,
        "REPLICATION": replication,
        "BYPASSRLS": bypassrls,
    }
    return RoleAttributes(tuple(name for name, has in powers.items() if has))


def _needs_its_password(database: Database, role: str) -> None:
    """Be refused with a wrong password: a server that trusts, or that has no line for the role in
    pg_hba.conf, would make every later proof worthless."""
    try:
        with session(database, role, Secret("not-the-password")):
            pass
    except NotConnected as error:
        if error.sqlstate == "28P01":
            return
        raise Unavailable(
            error.fact, f"Have pg_hba.conf say scram-sha-256 for {role}, from this machine too."
        ) from None
    raise Unavailable(
        f"{database.name} lets {role} in with a wrong password.", "Change the role's password."
    )


def open_role(
    database: Database, role: str, admin: Secret, password: Secret, valid_until: datetime
) -> None:
    """Let the role log in with this password until this instant.

    Args:
        valid_until: the grant's hard end; aware.

    Raises:
        Unavailable: it was not done, or not known to be; close the role to be sure.
    """
    with session(database, database.admin, admin) as connection:
        _alter(connection, role, password, "LOGIN", valid_until)


def close_role(database: Database, role: str, admin: Secret, rng: Callable[[int], bytes]) -> None:
    """Make the role dormant and end its sessions; done only when none is left.

    Args:
        rng: gives that many random bytes, for the password that nobody knows.

    Raises:
        Unavailable: not done, or sessions are left; repeat it.
    """
    with session(database, database.admin, admin) as connection:
        _alter(connection, role, new_password(rng), "NOLOGIN", _LONG_AGO)
        for _ in range(_ROUNDS):
            connection.execute(_END_ALL, (role,))
            connection.execute(_AWAIT_ONE, (role,))
            # A login that was accepted just before is not listed yet; look twice.
            if _left(connection, role) == 0:
                connection.execute("SELECT pg_sleep(0.05)")
                if _left(connection, role) == 0:
                    return
        raise Unavailable(
            f"Sessions of {role} at {database.name} do not end.",
            "Look at pg_stat_activity; it will be tried again.",
        )


def prove_dead(database: Database, role: str, old_password: Secret) -> None:
    """Try to log in with a password that must not work any more.

    Raises:
        Unavailable: it still works, or it is not known (only 28P01 and 28000 are a no).
    """
    try:
        with session(database, role, old_password):
            pass
    except NotConnected as error:
        if error.sqlstate in _REFUSED:
            return
        raise
    raise Unavailable(
        f"{role} at {database.name} still logs in with a password that should be dead.",
        "Close it again; look who else sets this role's password.",
    )


def try_login(database: Database, role: str, password: Secret) -> None:
    """Log in, see who one is, and leave: the proof of a drill that the way in works.

    Raises:
        Unavailable: it does not work.
    """
    with session(database, role, password) as connection:
        row = connection.execute("SELECT current_user").fetchone()
    if row != (role,):
        raise Unavailable(
            f"Who logs in as {role} at {database.name} is somebody else there.",
            "Look at the role's settings and at the server's pooler.",
        )


def _alter(
    connection: _Connection, role: str, password: Secret, login: str, valid_until: datetime
) -> None:
    verifier = connection.pgconn.encrypt_password(
        password.reveal().encode(), role.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        sql.SQL("ALTER ROLE {role} {login} PASSWORD {verifier} VALID UNTIL {end}").format(
            role=sql.Identifier(role),
            login=sql.SQL("LOGIN" if login == "LOGIN" else "NOLOGIN"),
            verifier=sql.Literal(verifier),
            end=sql.Literal(valid_until.astimezone(UTC).isoformat()),
        )
    )


def _left(connection: _Connection, role: str) -> int:
    row = connection.execute(_SESSIONS, (role,)).fetchone()
    return 1 if row is None else int(row[0])
