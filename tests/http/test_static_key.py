"""A sealed API key: delivered once, burnt at close, free when a new one is proved in place."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from locum.model.secret import Secret
from tests.http.test_lives import activate, reviewed
from tests.http.world import ESTATE, World, ask
from tests.servers.clock import SteppedClock

STATIC = """
      static:
        method: vaulted-secret
        target:
          static: payments-key
          inject: PAYMENTS_KEY
          rotate: {{command: rotate-key}}
          check: {{command: old-key-refused}}
        causes: [outage]
        probe: {{tcp: "127.0.0.1:{closed}"}}
        requesters: leads
        limits: {{ttl: 5m}}
        review: {{by: security, within: 24h}}
        owner: team
        reason: tests
        until: 2099-12-31
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, SteppedClock(), ESTATE.rstrip() + STATIC)
    made.started.locum.vault.write("payments-key", Secret("first-key-of-payments"))
    yield made
    made.close()


def hook(world: World, name: str, text: str) -> None:
    file = world.data / "hooks" / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o700)


def test_a_key_is_burnt_at_close_until_a_new_one_is_proved_in_place(world: World) -> None:
    alice, bob = world.people["alice"], world.people["bob"]
    fresh = secrets.token_hex(16)
    hook(world, "rotate-key", "echo 'the rotation is out of order' >&2; exit 1")
    hook(world, "old-key-refused", f'read old; test "$old" != {fresh}')
    opened = activate(alice, ask(alice, "service/static").json()).json()
    assert opened["credential"]["inject"] == {"PAYMENTS_KEY": "first-key-of-payments"}
    assert activate(bob, ask(bob, "service/static").json()).status_code in (403, 409)
    grant = opened["grant"]["id"]
    closed = alice.call("POST", f"/v1/grants/{grant}/close", json={}).json()
    assert (closed["state"], closed["dead"]) == ("closed", False)
    world.settle()
    blocked = ask(alice, "service/static")
    assert "not yet seen dead" in blocked.json()["detail"]
    facts = [one["fact"] for one in alice.call("GET", "/v1/findings").json()]
    assert any("`settle` failed" in fact for fact in facts)
    hook(world, "rotate-key", f"echo {fresh}")
    world.clock.advance(timedelta(minutes=5))
    world.settle()
    assert alice.call("GET", f"/v1/grants/{grant}").json()["dead"]
    assert world.started.locum.vault.read("payments-key") == Secret(fresh)
    reviewed(world, grant)
    assert ask(alice, "service/static").status_code == 201


def test_a_key_that_was_never_taken_need_not_be_rotated(world: World) -> None:
    alice = world.people["alice"]
    made = activate(alice, ask(alice, "service/static").json(), json={"deliver": False}).json()
    grant = made["grant"]["id"]
    alice.call("POST", f"/v1/grants/{grant}/close", json={})
    world.settle()
    assert alice.call("GET", f"/v1/grants/{grant}").json()["dead"]
    assert world.started.locum.vault.read("payments-key") == Secret("first-key-of-payments")
