"""A spent proof that was forgotten while the clock was ahead is not spent again when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from locum.service.rounds import prune
from tests.http.world import World
from tests.servers.clock import SteppedClock

PATH = "/v1/requests"
BODY = {"path": "service/lease", "cause": "outage", "reason": "why"}
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, SteppedClock())
    yield made
    made.close()


def sent(world: World, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(world.origin + PATH, headers=headers, json=BODY)


def proved(world: World) -> dict[str, str]:
    return world.people["alice"].headers("POST", PATH)


def forget_ahead(world: World, by: timedelta) -> None:
    world.clock.advance(by)
    while prune(world.started.locum):
        continue
    world.clock.advance(-by)


@pytest.mark.parametrize("by", [HOUR, timedelta(days=400)])
def test_a_proof_forgotten_while_the_clock_was_ahead_is_not_spent_again(
    one: World, by: timedelta
) -> None:
    headers = proved(one)
    assert sent(one, headers).status_code == 201
    forget_ahead(one, by)
    for seconds in range(0, 61, 20):
        again = sent(one, headers)
        assert again.status_code == 503, f"{seconds} s later"
        assert again.json()["type"].endswith("not-recorded")
        assert "clock" in again.json()["detail"]
        one.clock.advance(timedelta(seconds=20))
    assert sent(one, headers).status_code == 401, "and then it is too late for it"


def test_calls_are_taken_again_minutes_after_the_clock_came_back(one: World) -> None:
    assert sent(one, proved(one)).status_code == 201
    forget_ahead(one, HOUR)
    assert sent(one, proved(one)).status_code == 503
    one.clock.advance(3 * MINUTE)
    assert sent(one, proved(one)).status_code == 201


def test_what_was_done_far_ahead_does_not_stop_the_calls_of_now(one: World) -> None:
    assert sent(one, proved(one)).status_code == 201
    one.clock.advance(24 * HOUR)
    alice = one.people["alice"]
    alice.sign_in()
    assert sent(one, proved(one)).status_code == 201
    one.clock.advance(HOUR)
    while prune(one.started.locum):
        continue
    one.clock.advance(-25 * HOUR + 5 * MINUTE)
    alice.sign_in()
    assert sent(one, proved(one)).status_code == 201


def test_pruning_in_its_time_stops_nobody_though_replicas_differ_by_seconds(one: World) -> None:
    for _ in range(6):
        assert sent(one, proved(one)).status_code == 201
        one.clock.advance(MINUTE)
        prune(one.started.locum)
        one.clock.advance(timedelta(seconds=-2))
        assert sent(one, proved(one)).status_code == 201
