"""Who may call: every row of RFC 9449 §4.3, one answer for all that fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from locum.model.secret import Secret
from tests.http.world import Person, World, ask

PATH = "/v1/paths"


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "The call does not prove a registered key."
    assert answer.headers["www-authenticate"].startswith("DPoP")


def test_a_proved_caller_is_let_in(world: World) -> None:
    assert world.people["alice"].call("GET", PATH).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "POST"},
        {"htu": "https://elsewhere.example/v1/paths"},
        {"iat": 0},
        {"ath": None},
        {"ath": "AAAA"},
        {"jti": ""},
        {"jti": "x" * 200},
        {"jti": None},
        {"header": {"typ": "JWT"}},
    ],
)
def test_a_proof_of_something_else_is_refused(world: World, changed: dict[str, Any]) -> None:
    alice = world.people["alice"]
    refused(httpx.get(world.origin + PATH, headers=alice.headers("GET", PATH, **changed)))


@pytest.mark.parametrize("seconds", [-61, 61])
def test_a_proof_of_another_time_is_refused(world: World, seconds: int) -> None:
    alice = world.people["alice"]
    at = int(world.clock.now().timestamp()) + seconds
    refused(httpx.get(world.origin + PATH, headers=alice.headers("GET", PATH, iat=at)))


def test_a_proof_by_another_key_than_the_tokens_is_refused(world: World) -> None:
    thief = Person(world.origin, world.clock, token=world.people["alice"].token)
    refused(thief.call("GET", PATH))


def test_a_token_without_a_proof_is_refused(world: World) -> None:
    token = world.people["alice"].token
    refused(httpx.get(world.origin + PATH, headers={"Authorization": f"DPoP {token}"}))
    refused(httpx.get(world.origin + PATH, headers={"Authorization": f"Bearer {token}"}))
    refused(httpx.get(world.origin + PATH))


def test_a_private_key_or_another_algorithm_in_a_proof_is_refused(world: World) -> None:
    alice = world.people["alice"]
    public = {"header": {"jwk": alice.key.as_dict(private=True)}}
    refused(httpx.get(world.origin + PATH, headers=alice.headers("GET", PATH, **public)))
    claims = {"htm": "GET", "htu": world.origin + PATH, "iat": 1, "jti": "x"}
    secret = OctKey.import_key(b"k" * 32)
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": alice.key.as_dict(private=False)}
    for proof in (jwt.encode(header, claims, secret), "a.b.c", "x" * 5000, ""):
        headers = {"Authorization": f"DPoP {alice.token}", "DPoP": proof}
        refused(httpx.get(world.origin + PATH, headers=headers))


def test_a_proof_is_spent_by_the_act_that_it_was_made_for(world: World) -> None:
    alice = world.people["alice"]
    headers = alice.headers("POST", "/v1/requests")
    body = {"path": "service/lease", "cause": "outage", "reason": "why"}
    url = world.origin + "/v1/requests"
    assert httpx.post(url, headers=headers, json=body).status_code == 201
    refused(httpx.post(url, headers=headers, json=body))


def test_the_host_header_is_not_believed(world: World) -> None:
    alice = world.people["alice"]
    headers = alice.headers("GET", PATH, htu="http://evil.example/v1/paths")
    refused(httpx.get(world.origin + PATH, headers=headers | {"Host": "evil.example"}))


def test_a_token_ends_though_the_key_goes_on(world: World) -> None:
    erin = world.join("alice")
    world.clock.advance(timedelta(hours=1, seconds=1))
    refused(erin.call("GET", PATH))
    for person in (*world.people.values(), erin):
        person.sign_in()
    assert erin.call("GET", PATH).status_code == 200


def test_a_revoked_key_is_refused_at_the_next_act(world: World) -> None:
    spare = world.join("bob")
    assert ask(spare).status_code == 201
    path = f"/v1/keys/{spare.key.thumbprint()}"
    assert world.people["alice"].call("DELETE", path).status_code == 204
    refused(ask(spare))
    path = f"/v1/keys/{world.people['alice'].key.thumbprint()}"
    answer = world.people["bob"].call("DELETE", path)
    assert answer.status_code == 403, "only administrators revoke others' keys"


def test_an_invitation_works_once_and_for_ten_minutes(world: World) -> None:
    alice = world.people["alice"]

    def invited() -> Secret:
        answer = alice.call("POST", "/v1/invitations", json={"identity": "carol"})
        assert answer.status_code == 201
        return Secret(answer.json()["code"])

    code = invited()
    assert world.register(Person(world.origin, world.clock), code).status_code == 201
    again = world.register(Person(world.origin, world.clock), code)
    assert again.status_code == 401
    late = invited()
    world.clock.advance(timedelta(minutes=10))
    unknown = world.register(Person(world.origin, world.clock), Secret("locum_in_x"))
    ended = world.register(Person(world.origin, world.clock), late)
    assert ended.json() == again.json() == unknown.json(), "one answer, whatever failed"


def test_only_administrators_invite_and_only_people_of_the_estate(world: World) -> None:
    answer = world.people["bob"].call("POST", "/v1/invitations", json={"identity": "bob"})
    assert answer.status_code == 403
    for name in ("service", "nobody"):
        answer = world.people["alice"].call("POST", "/v1/invitations", json={"identity": name})
        assert answer.status_code == 400


def test_a_key_registered_for_one_person_is_not_registered_again(world: World) -> None:
    alice = world.people["alice"]
    code = alice.call("POST", "/v1/invitations", json={"identity": "dana"}).json()["code"]
    known = Person(world.origin, world.clock, key=world.people["bob"].key)
    assert world.register(known, Secret(code)).status_code == 409


def test_the_published_keys_have_no_private_part(world: World) -> None:
    [key] = httpx.get(world.origin + "/oauth/jwks").json()["keys"]
    assert "d" not in key
    assert ECKey.import_key(key).is_private is False
