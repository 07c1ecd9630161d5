"""An administrator who invited somebody's key cannot use it to be two people."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from locum.model.secret import Secret
from locum.service.rounds import EstateWatch
from tests.http.world import Person, World, ask

HOURS_72 = timedelta(hours=72)


def joined(world: World, name: str, by: Person) -> Person:
    answer = by.call("POST", "/v1/invitations", json={"identity": name})
    assert answer.status_code == 201, answer.text
    newcomer = Person(world.origin, world.clock)
    assert world.register(newcomer, Secret(answer.json()["code"])).status_code == 201
    newcomer.sign_in()
    return newcomer


def approve(person: Person, request: dict[str, str], word: str = "approve") -> httpx.Response:
    return person.call(
        "POST",
        f"/v1/requests/{request['id']}/approvals",
        json={"decision": word, "digest": request["digest"]},
    )


@pytest.fixture
def signed_in(world: World) -> World:
    for person in world.people.values():
        person.sign_in()
    return world


def test_the_requesters_own_invitees_do_not_approve(signed_in: World) -> None:
    world, alice = signed_in, signed_in.people["alice"]
    puppets = [joined(world, name, alice) for name in ("bob", "carol")]
    request = ask(alice, "service/approved").json()
    for puppet in puppets:
        answer = approve(puppet, request)
        assert answer.status_code == 403
        [breach] = answer.json()["breaches"]
        assert breach["law"] == 6
        assert "invited by alice, who asks" in breach["fact"]
        assert "this key counts from" in breach["remedy"]
    for name in ("bob", "carol"):
        assert approve(world.people[name], request).status_code == 200, "their own keys count"
    shown = alice.call("GET", f"/v1/requests/{request['id']}").json()
    assert shown["state"] == "ready"


def test_the_requesters_invitee_may_say_no(signed_in: World) -> None:
    alice = signed_in.people["alice"]
    bob = joined(signed_in, "bob", alice)
    request = ask(alice, "service/approved").json()
    assert approve(bob, request, "deny").status_code == 200


def test_after_72_hours_the_key_is_the_persons_own(signed_in: World) -> None:
    world, alice = signed_in, signed_in.people["alice"]
    bob = joined(world, "bob", alice)
    world.clock.advance(HOURS_72)
    for person in (alice, bob):
        person.sign_in()
    request = ask(alice, "service/approved").json()
    assert approve(bob, request).status_code == 200


def test_whoever_a_puppet_administrator_invites_is_a_puppet_too(signed_in: World) -> None:
    """alice holds a young key of carol's, and has that one invite bob."""
    world, alice = signed_in, signed_in.people["alice"]
    estate = world.data / "estate.yaml"
    estate.write_text(estate.read_text().replace("[alice], leads", "[alice, carol], leads"))
    EstateWatch(world.started).reload()
    bob = joined(world, "bob", joined(world, "carol", alice))
    request = ask(alice, "service/approved").json()
    assert approve(bob, request).status_code == 403
