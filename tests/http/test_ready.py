"""Ready is what can act now: not while the vault is sealed or gone, or the store is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.http.world import ESTATE, World, ask
from tests.servers.clock import SteppedClock
from tests.servers.openbao import OpenBaoProcess


@pytest.fixture
def world(tmp_path: Path, openbao_server: OpenBaoProcess) -> Iterator[World]:
    token = tmp_path / "token"
    token.write_text(openbao_server.root_token.reveal())
    token.chmod(0o600)
    vault = (
        f'\n[vault]\nkind = "openbao"\nurl = "{openbao_server.address}"\n'
        f'prefix = "{tmp_path.name}"\ntoken_file = "{token}"\n'
    )
    made = World(tmp_path, SteppedClock(), ESTATE, vault, ("alice",))
    yield made
    made.close()


def looked(world: World, path: str) -> httpx.Response:
    return httpx.get(world.origin + path, timeout=20)


def test_a_sealed_vault_is_not_ready_and_the_process_lives(
    world: World, openbao_server: OpenBaoProcess
) -> None:
    assert looked(world, "/readyz").json() == {"status": "ready"}
    openbao_server.seal()
    try:
        answer = looked(world, "/readyz")
        assert answer.status_code == 503
        problem = answer.json()
        assert "sealed" in problem["detail"].lower()
        assert "unseal" in problem["remedy"].lower()
        assert openbao_server.root_token.reveal() not in answer.text
        assert looked(world, "/healthz").status_code == 200
    finally:
        openbao_server.unseal()
    assert looked(world, "/readyz").status_code == 200


def test_a_vault_that_is_gone_is_not_ready(world: World, openbao_server: OpenBaoProcess) -> None:
    openbao_server.stop()
    try:
        answer = looked(world, "/readyz")
        assert (answer.status_code, looked(world, "/healthz").status_code) == (503, 200)
        assert answer.json()["remedy"]
    finally:
        openbao_server.start()


def test_a_store_that_is_gone_is_not_ready_and_refuses_acts(world: World) -> None:
    world.started.locum.store.close()
    assert looked(world, "/readyz").status_code == 503
    assert looked(world, "/healthz").status_code == 200
    answer = ask(world.people["alice"])
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:locum:problem:not-recorded"
