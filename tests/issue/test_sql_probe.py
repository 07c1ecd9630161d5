"""The probe of a database, on a real PostgreSQL."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime

import msgspec
import pytest

from locum.evidence.database import NotConnected
from locum.evidence.probe import observe
from locum.model.cause import Observation, SqlProbe
from locum.model.secret import Secret

from .conftest import Role

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def seen(role: Role, password: Secret) -> Observation:
    return observe(SqlProbe("orders"), NOW, {"orders": role.database}, lambda _: password)


def test_a_database_that_answers_is_up(role: Role) -> None:
    assert seen(role, role.admin) == Observation(True, NOW, "The database orders answers SELECT 1.")


def test_a_password_of_ours_that_is_wrong_decides_nothing(role: Role) -> None:
    with pytest.raises(NotConnected, match="28P01"):
        seen(role, Secret("wrong"))


def test_a_database_that_is_stopped_is_down(role: Role) -> None:
    role.server.stop()
    try:
        assert not seen(role, role.admin).up
    finally:
        role.server.start()


def test_a_limit_on_our_own_role_decides_nothing(role: Role) -> None:
    role.server.execute("ALTER ROLE locum CONNECTION LIMIT 0")
    with pytest.raises(NotConnected, match="53300"):
        seen(role, role.admin)


def test_a_database_that_does_not_exist_decides_nothing(role: Role) -> None:
    elsewhere = msgspec.structs.replace(role.database, dbname="nowhere")
    with pytest.raises(NotConnected, match="3D000"):
        observe(SqlProbe("orders"), NOW, {"orders": elsewhere}, lambda _: role.admin)


def test_a_server_without_tls_decides_nothing_where_tls_is_declared(role: Role) -> None:
    with_tls = msgspec.structs.replace(role.database, sslmode="require")
    with pytest.raises(NotConnected, match="not trusted"):
        observe(SqlProbe("orders"), NOW, {"orders": with_tls}, lambda _: role.admin)


def test_a_server_that_is_frozen_is_down(role: Role) -> None:
    leader = int((role.server.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(leader, signal.SIGSTOP)
    try:
        found = seen(role, role.admin)
    finally:
        os.kill(leader, signal.SIGCONT)
    assert not found.up
    assert "did not answer within" in found.detail
