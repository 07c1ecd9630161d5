"""An invitation that is asked for twice by one call: never two that live, never a kept code."""

from __future__ import annotations

from datetime import timedelta

import httpx

from locum.model.secret import Secret
from tests.http.world import Person, World

PATH = "/v1/invitations"


def invited(world: World, key: str, **body: object) -> httpx.Response:
    return world.people["alice"].call(
        "POST", PATH, json={"identity": "carol"} | body, headers={"Idempotency-Key": key}
    )


def register(world: World, answer: httpx.Response) -> int:
    newcomer = Person(world.origin, world.clock)
    return world.register(newcomer, Secret(answer.json()["code"])).status_code


def test_the_same_call_again_ends_its_invitation_and_gives_a_fresh_one(world: World) -> None:
    calls = [invited(world, "thrice") for _ in range(3)]
    assert [one.status_code for one in calls] == [201, 201, 201]
    assert len({one.json()["code"] for one in calls}) == 3
    assert [register(world, one) for one in calls] == [401, 401, 201], "only the last one lives"


def test_an_invitation_that_was_used_is_not_given_again(world: World) -> None:
    first = invited(world, "used")
    assert register(world, first) == 201
    again = invited(world, "used")
    assert again.status_code == 409
    assert "new Idempotency-Key" in again.json()["remedy"]
    assert invited(world, "used-2").status_code == 201


def test_an_invitation_that_has_ended_is_not_given_again(world: World) -> None:
    assert invited(world, "late").status_code == 201
    world.clock.advance(timedelta(minutes=10))
    assert invited(world, "late").status_code == 409


def test_the_key_of_one_invitation_is_not_taken_for_another(world: World) -> None:
    assert invited(world, "other").status_code == 201
    assert invited(world, "other", conditions=["managed-device"]).status_code == 400
    assert invited(world, "k" * 129).status_code == 400


def test_without_a_key_each_call_invites(world: World) -> None:
    alice = world.people["alice"]
    codes = [alice.call("POST", PATH, json={"identity": "carol"}) for _ in range(2)]
    assert [register(world, one) for one in codes] == [201, 201]


def test_the_code_of_an_invitation_is_kept_nowhere(world: World) -> None:
    code = invited(world, "kept").json()["code"]
    files = [one.read_bytes() for one in world.data.rglob("locum.db*") if one.is_file()]
    assert any(b"person.invited" in one for one in files), "the store was looked into"
    assert not any(code.encode() in one for one in files)
