"""The target `postgresql-role` against a real PostgreSQL, with a least-privileged admin role."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import pq

from locum.evidence import database
from locum.evidence.database import NotConnected
from locum.issue.generate import new_password
from locum.issue.postgresql_role import close_role, open_role, preflight, prove_dead, try_login
from locum.model.refusal import Unavailable
from locum.model.secret import Secret

from .conftest import Role, database_at, free_port

HOUR = timedelta(hours=1)


def later() -> datetime:
    return datetime.now(UTC) + HOUR


def opened(role: Role, until: datetime | None = None) -> Secret:
    password = new_password(os.urandom)
    open_role(role.database, role.name, role.admin, password, until or later())
    return password


def closed(role: Role) -> None:
    close_role(role.database, role.name, role.admin, os.urandom)


def test_a_role_that_can_be_opened_passes_the_preflight(role: Role) -> None:
    assert preflight(role.database, role.name, role.admin).powers == ()


def test_the_preflight_tells_the_powers_of_a_role(role: Role) -> None:
    role.server.execute("ALTER ROLE orders_admin BYPASSRLS REPLICATION")
    found = preflight(role.database, role.name, role.admin)
    assert found.powers == ("REPLICATION", "BYPASSRLS")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("REVOKE ADMIN OPTION FOR orders_admin FROM locum", "set the password"),
        ("ALTER ROLE locum NOCREATEROLE", "set the password"),
        ("REVOKE pg_signal_backend FROM locum", "end sessions"),
        ("ALTER ROLE orders_admin SUPERUSER", "superuser"),
        ("DROP ROLE orders_admin", "no role orders_admin"),
    ],
)
def test_a_role_that_could_not_be_closed_fails_the_preflight(
    role: Role, statement: str, said: str
) -> None:
    role.server.execute(statement)
    with pytest.raises(Unavailable, match=said):
        preflight(role.database, role.name, role.admin)


def test_our_own_admin_role_is_no_target(role: Role) -> None:
    with pytest.raises(Unavailable, match="itself uses"):
        preflight(role.database, "locum", role.admin)


def test_an_opened_role_logs_in_with_its_password(role: Role) -> None:
    try_login(role.database, role.name, opened(role))


def test_a_dormant_role_does_not_log_in(role: Role) -> None:
    with pytest.raises(NotConnected) as refused:
        try_login(role.database, role.name, Secret("anything"))
    assert refused.value.sqlstate == "28P01"


def test_after_the_close_the_password_is_refused_and_open_sessions_are_dead(role: Role) -> None:
    password = opened(role)
    with ExitStack() as stack:
        sessions = [stack.enter_context(role.server.connect(role.name, password)) for _ in range(5)]
        closed(role)
        for session in sessions:
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
            session.close()
    prove_dead(role.database, role.name, password)


def test_a_session_in_a_transaction_dies_at_the_close(role: Role) -> None:
    password = opened(role)
    with role.server.connect(role.name, password) as session:
        session.execute("BEGIN")
        closed(role)
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        session.close()


def test_a_password_that_still_works_is_not_called_dead(role: Role) -> None:
    with pytest.raises(Unavailable, match="still logs in"):
        prove_dead(role.database, role.name, opened(role))


def test_a_database_that_is_away_proves_nothing_dead(role: Role) -> None:
    with pytest.raises(NotConnected) as refused:
        prove_dead(database_at(free_port()), role.name, Secret("old"))
    assert refused.value.down


def test_a_server_that_lets_everybody_in_proves_nothing_dead(role: Role) -> None:
    rules = role.server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    password = opened(role)
    closed(role)
    rules.write_text("host all orders_admin 127.0.0.1/32 trust\n" + before)
    try:
        role.server.execute("SELECT pg_reload_conf()", "ALTER ROLE orders_admin LOGIN")
        with pytest.raises(NotConnected, match="SCRAM"):
            prove_dead(role.database, role.name, password)
        with pytest.raises(Unavailable, match="SCRAM"):
            preflight(role.database, role.name, role.admin)
    finally:
        rules.write_text(before)
        role.server.execute("SELECT pg_reload_conf()")


def test_the_close_is_repeated_without_harm(role: Role) -> None:
    password = opened(role)
    closed(role)
    closed(role)
    prove_dead(role.database, role.name, password)
    try_login(role.database, role.name, opened(role))


def test_a_password_is_refused_from_its_end_on_though_nobody_closed(role: Role) -> None:
    password = opened(role, until=datetime.now(UTC) - timedelta(seconds=1))
    prove_dead(role.database, role.name, password)


def test_the_end_of_the_grant_is_inside_the_credential(role: Role) -> None:
    end = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    opened(role, until=end)
    with role.server.connect() as connection:
        row = connection.execute(
            "SELECT rolvaliduntil, rolcanlogin FROM pg_roles WHERE rolname = %s", (role.name,)
        ).fetchone()
    assert row == (end, True)


def test_a_login_begun_before_the_close_does_not_end_after_it(role: Role) -> None:
    """The server reads the password when a login begins and `NOLOGIN` when it ends."""
    password = opened(role)
    line = pq.PGconn.connect_start(
        f"host=127.0.0.1 port={role.server.port} dbname=postgres user={role.name} "
        f"password={password.reveal()} sslmode=disable".encode()
    )
    trace = os.memfd_create("trace")
    line.trace(trace)
    while b"SASLInitialResponse" not in os.pread(trace, 9_999, 0):
        assert line.connect_poll() in (pq.PollingStatus.READING, pq.PollingStatus.WRITING)
    closed(role)
    while (step := line.connect_poll()) not in (pq.PollingStatus.OK, pq.PollingStatus.FAILED):
        pass
    os.close(trace)
    assert step == pq.PollingStatus.FAILED
    assert b"is not permitted to log in" in line.error_message
    line.finish()


def test_no_plaintext_password_is_in_the_servers_log(role: Role) -> None:
    password = opened(role)
    try_login(role.database, role.name, password)
    closed(role)
    logged = role.server.log.read_text()
    assert 'ALTER ROLE "orders_admin" LOGIN PASSWORD' in logged
    assert "SCRAM-SHA-256$" in logged
    assert password.reveal() not in logged


def test_a_role_name_is_never_read_as_sql(role: Role) -> None:
    with pytest.raises(Unavailable):
        open_role(role.database, 'x" SUPERUSER; --', role.admin, new_password(os.urandom), later())


def test_a_wrong_admin_password_is_our_fault_and_said_so_without_it(role: Role) -> None:
    with pytest.raises(NotConnected) as refused:
        preflight(role.database, role.name, Secret("not-the-password"))
    assert not refused.value.down
    assert "not-the-password" not in str(refused.value)


def test_a_server_that_never_answers_is_given_up(role: Role, silent_port: int) -> None:
    with pytest.raises(NotConnected, match="did not answer"):
        closed(Role(role.server, role.name, database_at(silent_port), role.admin))


def test_a_close_while_the_database_is_down_is_made_good_when_it_is_back(role: Role) -> None:
    password = opened(role)
    role.server.stop()
    try:
        with pytest.raises(NotConnected) as refused:
            closed(role)
        assert refused.value.down
    finally:
        role.server.start()
    closed(role)
    prove_dead(role.database, role.name, password)


def test_a_session_that_freezes_is_cut(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SESSION_SECONDS", 0.3)
    cut = database.session(role.database, "locum", role.admin)
    session = cut.__enter__()
    os.kill(session.info.backend_pid, signal.SIGSTOP)
    try:
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    finally:
        os.kill(session.info.backend_pid, signal.SIGCONT)
        cut.__exit__(None, None, None)
