"""Whoever a key is registered for is told of it, and who invited it, while they can object."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.test_inviters import joined
from tests.http.world import ESTATE, World
from tests.servers.clock import SteppedClock
from tests.servers.webhook import WebhookServer


@pytest.fixture
def watched(tmp_path: Path, webhook_server: WebhookServer) -> Iterator[World]:
    notify = f'owner: b@example.com, notify: ["{webhook_server.url}/bob"],'
    made = World(tmp_path, SteppedClock(), ESTATE.replace("owner: b@example.com,", notify))
    yield made
    made.close()


def test_the_notice_names_who_invited_the_key(
    watched: World, webhook_server: WebhookServer
) -> None:
    watched.settle()
    [first] = webhook_server.inbox.wait_for(1)
    assert "invited by: the operator" in first.json()["text"]
    joined(watched, "bob", watched.people["alice"])
    watched.settle()
    _, second = webhook_server.inbox.wait_for(2)
    assert "invited by: alice" in second.json()["text"]
    assert "for 72 hours" in second.json()["text"]
