"""A flood is refused with when to come back; who else calls is served, and the record stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.http.world import World, ask
from tests.servers.clock import SteppedClock

BURST = 20


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = SteppedClock()
    made = World(tmp_path, clock, people=("alice", "bob"), calls=BURST)
    clock.advance(timedelta(seconds=2))
    yield made
    made.close()


def test_one_source_that_floods_is_told_to_wait_and_served_after(world: World) -> None:
    alice = world.people["alice"]
    answers = [alice.call("GET", "/v1/requests") for _ in range(BURST + 1)]
    assert {one.status_code for one in answers[:BURST]} == {200}
    refused = answers[-1]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["type"] == "urn:locum:problem:throttled"
    world.clock.advance(timedelta(seconds=int(refused.headers["retry-after"])))
    assert alice.call("GET", "/v1/requests").status_code == 200


def test_calls_that_prove_nothing_are_counted_too(world: World) -> None:
    answers = [httpx.get(f"{world.origin}/v1/requests").status_code for _ in range(BURST + 1)]
    assert answers == [401] * BURST + [429]


def test_another_source_is_served_while_one_floods(world: World) -> None:
    for _ in range(BURST + 1):
        httpx.get(f"{world.origin}/v1/requests")
    bob = world.people["bob"]
    headers = bob.headers("GET", "/v1/requests")
    other = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(transport=other) as client:
        assert client.get(f"{world.origin}/v1/requests", headers=headers).status_code == 200


def test_one_key_is_counted_from_wherever_it_calls(world: World) -> None:
    alice = world.people["alice"]
    statuses = []
    for number in range(BURST + 1):
        transport = httpx.HTTPTransport(local_address=f"127.0.1.{number + 1}")
        with httpx.Client(transport=transport) as client:
            headers = alice.headers("GET", "/v1/requests")
            answer = client.get(f"{world.origin}/v1/requests", headers=headers)
            statuses.append(answer.status_code)
    assert statuses == [200] * BURST + [429]


def test_oauth_says_it_in_its_own_words(world: World) -> None:
    alice = world.people["alice"]
    answer = None
    for _ in range(BURST + 1):
        answer = alice.call("POST", "/oauth/introspect", data={"token": "x"})
    assert answer is not None
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert answer.headers["retry-after"]


def test_what_was_throttled_left_nothing_half(world: World) -> None:
    alice = world.people["alice"]
    made = [ask(alice) for _ in range(BURST + 5)]
    accepted = [one.json()["id"] for one in made if one.status_code == 201]
    assert len(accepted) == BURST
    world.clock.advance(timedelta(seconds=5))
    listed = alice.call("GET", "/v1/requests?limit=100").json()["items"]
    assert {one["id"] for one in listed} == set(accepted)
