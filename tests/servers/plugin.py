"""Fixtures of real servers, and the end of every run: no secret is in any log.

Each process of a parallel run has servers of its own; the logs and the record of secrets are one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from locum.model.secret import Secret
from tests.servers.clock import SteppedClock
from tests.servers.openbao import OpenBaoProcess
from tests.servers.postgres import PostgresProcess
from tests.servers.program import free_port
from tests.servers.run import Run
from tests.servers.smtp import SmtpServer
from tests.servers.webhook import WebhookServer

RUN = pytest.StashKey[Run]()
RecordSecret = Callable[[str | Secret], None]


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def worker_name(config: pytest.Config) -> str:
    return str(config.workerinput["workerid"]) if hasattr(config, "workerinput") else "main"


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run, or join it, and put what the program logs into the run's folder."""
    place = getattr(config, "workerinput", {}).get("locum_run")
    run = config.stash[RUN] = Run(Path(place)) if place else Run.begin()
    handler = logging.FileHandler(run.logs / f"python-{worker_name(config)}.log")
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    config.add_cleanup(handler.close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell another process of a parallel run where the run's folder is."""
    node.workerinput["locum_run"] = str(node.config.stash[RUN].folder)


class PrintedByTests:
    """Keeps what tests print with the logs, to be searched with them."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        with self._log.open("a") as log:
            for title, text in report.sections:
                log.write(f"{report.nodeid} {title}\n{text}\n")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Follow what tests print, in the process that sees all the reports."""
    if not is_worker(session.config):
        log = session.config.stash[RUN].logs / "printed.log"
        session.config.pluginmanager.register(PrintedByTests(log))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a secret is in a log."""
    if is_worker(session.config):
        return
    run = session.config.stash[RUN]
    if leaks := run.leaks():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        report_leaks(session.config, leaks)
    run.end(keep_logs=bool(session.exitstatus))


def report_leaks(config: pytest.Config, leaks: list[str]) -> None:
    """Show leaks as an error of the run, and count it in the closing line."""
    name = "no secret is in any log"
    report = pytest.TestReport(
        nodeid=name,
        location=("", None, name),
        keywords={},
        outcome="failed",
        longrepr="\n".join(leaks),
        when="teardown",
    )
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    reporter.stats.setdefault("error", []).append(report)


@pytest.fixture(scope="session")
def run_log_dir(request: pytest.FixtureRequest) -> Path:
    """The folder for the log of every server that a test starts; searched at the end."""
    return request.config.stash[RUN].logs


@pytest.fixture(scope="session")
def record_secret(request: pytest.FixtureRequest) -> RecordSecret:
    """Tell the run of a secret; it must be in no log at the end."""
    return request.config.stash[RUN].record


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Tests marked `anyio` run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest, run_log_dir: Path, record_secret: RecordSecret
) -> Iterator[PostgresProcess]:
    """A PostgreSQL of this process; a test that stops it starts it again."""
    server = PostgresProcess(run_log_dir / f"postgres-{worker_name(request.config)}.log")
    record_secret(server.password())
    yield server
    server.remove()


@pytest.fixture(scope="session")
def openbao_server(
    request: pytest.FixtureRequest, run_log_dir: Path, record_secret: RecordSecret
) -> Iterator[OpenBaoProcess]:
    """An unsealed OpenBao of this process; a test that seals it unseals it again."""
    name = worker_name(request.config)
    server = OpenBaoProcess(
        run_log_dir / f"openbao-{name}.log", run_log_dir / f"openbao-{name}-audit.log"
    )
    for secret in (server.root_token, *server.unseal_keys):
        record_secret(secret)
    yield server
    server.remove()


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A mail server that keeps what it is sent."""
    server = SmtpServer()
    yield server
    server.stop()


@pytest.fixture
def webhook_server() -> Iterator[WebhookServer]:
    """A web server that keeps the requests it gets."""
    server = WebhookServer()
    yield server
    server.stop()


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that goes only when the test says so."""
    return SteppedClock()


@pytest.fixture(name="free_port")
def free_port_fixture() -> Callable[[], int]:
    """A function that gives a port on which nobody listens."""
    return free_port
