"""A declared schedule announces its windows once for all; nothing opens between them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from tests.acme.client import AcmeClient
from tests.pki.authorities import csr
from tests.pki.rotating import NAME, PATH, RotatingWorld
from tests.pki.test_callers import in_force

HOUR = timedelta(hours=1)


def scheduled(world: RotatingWorld, opens: timedelta) -> None:
    first = (world.clock.now() + opens).isoformat()

    def declare(whole: Any) -> None:
        path = whole["identities"]["payments-api"]["fallbacks"]["rotation-backup"]
        path["rotation"] = {"first": first, "every": "30d"}

    in_force(world, declare)


def ask(world: RotatingWorld) -> httpx.Response:
    body = {"path": PATH, "cause": "planned-rotation", "reason": "by the schedule"}
    return world.call("POST", "/v1/requests", world.primary, json=body)


def fresh() -> str:
    return csr(ec.generate_private_key(ec.SECP256R1()))


def test_a_request_without_a_window_takes_the_schedules(world: RotatingWorld) -> None:
    scheduled(world, HOUR)
    asked = ask(world).json()
    opens = world.clock.now() + HOUR
    assert asked["window"]["from"] == opens.isoformat().replace("+00:00", "Z")
    refused = world.activate(asked["id"], fresh())
    assert "The window opens at" in refused.text
    world.clock.advance(HOUR)
    told = world.activate(asked["id"], fresh())
    assert told.status_code == 201, told.text
    assert world.cutover(told.json()["grant"]["id"], world.renewed()).json()["dead"]


def test_between_two_windows_the_next_one_is_told(world: RotatingWorld) -> None:
    scheduled(world, HOUR)
    world.clock.advance(HOUR + timedelta(minutes=30))
    refused = world.activate(ask(world).json()["id"], fresh())
    assert refused.status_code == 403
    later = world.clock.now() - timedelta(minutes=30) + timedelta(days=30)
    assert later.isoformat() in refused.text, refused.text


def test_an_acme_client_rotates_by_the_schedule_alone(world: RotatingWorld) -> None:
    scheduled(world, HOUR)
    client = AcmeClient(world)
    client.register()
    early = client.order(NAME)
    assert early.status_code == 403
    assert "The window opens at" in early.json()["detail"]
    world.clock.advance(HOUR)
    assert "BEGIN CERTIFICATE" in client.fetched(NAME)
    client.close()
