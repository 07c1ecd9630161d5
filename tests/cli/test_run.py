"""`locum run`: the secret reaches one command and nothing else, and the grant closes behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from locum.cli.client import Client
from locum.cli.path_commands import run_command
from locum.model.secret import Secret
from tests.http.test_static_key import STATIC
from tests.http.world import ESTATE, World
from tests.servers.clock import SteppedClock

KEY = "first-key-of-payments"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world that stands at the present, since the program reads the system's clock."""
    made = World(tmp_path, SteppedClock(datetime.now(UTC)), ESTATE.rstrip() + STATIC)
    made.started.locum.vault.write("payments-key", Secret(KEY))
    yield made
    made.close()


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    made = Client(world.origin, world.people["alice"].key)
    yield made
    made.close()


def opened(client: Client) -> str:
    body = {"path": "service/static", "cause": "outage", "reason": "why"}
    request = client.post("/v1/requests", body)["id"]
    answer = client.post(f"/v1/requests/{request}/activate", {"deliver": False})
    return str(answer["grant"]["id"])


def test_the_secret_is_in_the_commands_environment_and_nowhere_else(
    client: Client, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    grant, seen = opened(client), tmp_path / "seen"
    script = f'printf %s "$PAYMENTS_KEY" > {seen}; exit 7'
    assert run_command(client, grant, ["sh", "-c", script], keep_open=False) == 7
    assert seen.read_text() == KEY
    printed = capfd.readouterr()
    assert KEY not in printed.out + printed.err
    shown = client.get(f"/v1/grants/{grant}")
    assert (shown["state"], shown["how"]) == ("closed", "used-up")


def test_a_command_that_does_not_exist_closes_the_grant_too(client: Client) -> None:
    grant = opened(client)
    assert run_command(client, grant, ["no-such-program-here"], keep_open=False) == 127
    assert client.get(f"/v1/grants/{grant}")["state"] == "closed"
