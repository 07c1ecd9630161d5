"""A path's life over HTTP, from asking to review, and what is refused on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from locum.ledger.note import VerifierKey
from locum.ledger.remote import RemoteSource
from locum.ledger.verification import verify_log
from tests.http.world import Person, World, ask, opened


def approve(person: Person, request: dict[str, Any], **changed: Any) -> httpx.Response:
    body = {"decision": "approve", "digest": request["digest"]} | changed
    return person.call("POST", f"/v1/requests/{request['id']}/approvals", json=body)


def activate(person: Person, request: dict[str, Any], **how: Any) -> httpx.Response:
    return person.call("POST", f"/v1/requests/{request['id']}/activate", **how)


def introspect(person: Person, token: str) -> Any:
    answer = person.call("POST", "/oauth/introspect", data={"token": token})
    assert answer.status_code == 200, answer.text
    return answer.json()


def reviewed(world: World, grant: str) -> None:
    body = {"verdict": "emergency", "comment": "as announced"}
    answer = world.people["dana"].call("POST", f"/v1/grants/{grant}/review", json=body)
    assert answer.status_code == 200, answer.text


def test_two_approve_a_path_opens_and_a_third_reviews(world: World) -> None:
    alice, bob, carol, dana = (world.people[name] for name in ("alice", "bob", "carol", "dana"))
    incident = {"evidence": {"incident": "INC-1"}}
    request = ask(alice, "service/approved", **incident).json()
    assert request["state"] == "requested"
    for answer in (approve(alice, request), approve(dana, request)):
        assert answer.status_code == 403
        assert answer.json()["breaches"][0]["law"] == 6
    assert approve(bob, request, digest="sha256:" + "0" * 64).status_code == 403
    assert approve(bob, request).json()["state"] == "requested"
    assert approve(bob, request).status_code == 403, "an approver counts once"
    early = activate(alice, request)
    assert early.status_code == 403
    assert early.json()["remedy"]
    assert approve(carol, request).json()["state"] == "ready"
    assert activate(bob, request).status_code == 403, "only the requester opens"
    answer = activate(alice, request)
    assert answer.status_code == 201
    grant, token = answer.json()["grant"]["id"], answer.json()["credential"]["value"]
    assert activate(alice, request).status_code == 409, "a request opens once"
    found = introspect(bob, token)
    assert found["active"]
    assert found["cnf"] == {"jkt": alice.key.thumbprint()}
    closed = alice.call("POST", f"/v1/grants/{grant}/close", json={"reason": "done"})
    assert closed.json()["dead"]
    assert introspect(bob, token) == {"active": False}
    blocked = ask(bob, "service/approved", **incident)
    assert blocked.json()["breaches"][0]["law"] == 5
    body = {"verdict": "emergency", "comment": "mine"}
    for person in (alice, bob):
        answer = person.call("POST", f"/v1/grants/{grant}/review", json=body)
        assert answer.status_code == 403
    reviewed(world, grant)
    assert ask(bob, "service/approved", **incident).status_code == 201


def test_a_token_is_dead_from_its_very_end_though_nobody_closed_it(world: World) -> None:
    alice = world.people["alice"]
    grant, token = opened(alice)
    ends = timedelta(minutes=5)
    world.clock.advance(ends - timedelta(microseconds=1))
    assert introspect(alice, token)["active"]
    world.clock.advance(timedelta(microseconds=1))
    assert introspect(alice, token) == {"active": False}
    assert alice.call("GET", f"/v1/grants/{grant}").json()["state"] == "open"
    world.settle()
    shown = alice.call("GET", f"/v1/grants/{grant}").json()
    assert (shown["state"], shown["how"]) == ("closed", "expired")
    taken = alice.call("POST", f"/v1/grants/{grant}/credential")
    assert taken.status_code == 409


@pytest.mark.parametrize("token", ["", "locum_lt_x", "x" * 58, "locum_lt_" + "0" * 49])
def test_an_unknown_token_is_inactive_or_a_bad_request(world: World, token: str) -> None:
    answer = world.people["bob"].call("POST", "/oauth/introspect", data={"token": token})
    expected = (200, {"active": False}) if token else (400, None)
    assert answer.status_code == expected[0]
    assert expected[1] is None or answer.json() == expected[1]


def test_the_holder_revokes_a_token_and_others_change_nothing(world: World) -> None:
    alice, bob = world.people["alice"], world.people["bob"]
    _, token = opened(alice)
    for person in (bob, alice):
        assert introspect(bob, token)["active"]
        answer = person.call("POST", "/oauth/revoke", data={"token": token})
        assert answer.status_code == 200
    assert introspect(bob, token) == {"active": False}


def test_a_repeated_activation_gets_its_answer_but_never_the_secret_again(world: World) -> None:
    alice = world.people["alice"]
    request = ask(alice).json()
    first = activate(alice, request, headers={"Idempotency-Key": "one"})
    again = activate(alice, request, headers={"Idempotency-Key": "one"})
    assert first.json()["credential"] is not None
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | {"credential": None}
    other = ask(alice).json()
    assert activate(alice, other, headers={"Idempotency-Key": "one"}).status_code == 400


def test_a_repeated_request_is_made_once(world: World) -> None:
    alice = world.people["alice"]
    body = {"path": "service/lease", "cause": "outage", "reason": "once"}
    headers = {"Idempotency-Key": "two"}
    made = [alice.call("POST", "/v1/requests", json=body, headers=headers) for _ in range(2)]
    assert made[0].json() == made[1].json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"path": "service/lease", "cause": "drill", "reason": "x"}, 403),
        ({"path": "service/lease", "cause": "outage", "reason": ""}, 400),
        ({"path": "service/lease", "cause": "boredom", "reason": "x"}, 400),
        ({"path": "Service/lease", "cause": "outage", "reason": "x"}, 400),
        ({"path": "service/none", "cause": "outage", "reason": "x"}, 404),
        ({"path": "service/lease", "cause": "outage", "reason": "x", "admin": True}, 400),
        ({"path": "service/lease", "cause": "outage", "reason": "x" * 3000}, 400),
        ([], 400),
    ],
)
def test_a_bad_request_is_a_problem_with_a_remedy(world: World, body: Any, status: int) -> None:
    answer = world.people["alice"].call("POST", "/v1/requests", json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["remedy"]


def test_a_huge_or_deep_body_is_refused_and_the_server_goes_on(world: World) -> None:
    alice = world.people["alice"]
    huge = alice.call("POST", "/v1/requests", content=b'{"reason":"' + b"x" * 66_000 + b'"}')
    assert huge.status_code in (400, 413)
    deep = alice.call("POST", "/v1/requests", content=b'{"x":' * 9_000 + b"1" + b"}" * 9_000)
    assert deep.status_code == 400
    assert alice.call("GET", "/v1/paths").status_code == 200


def test_pages_follow_one_another_without_gap_or_repeat(world: World) -> None:
    alice = world.people["alice"]
    made = {ask(alice).json()["id"] for _ in range(7)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = alice.call("GET", f"/v1/requests?limit=3{cursor}").json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen))
    assert made <= set(seen)
    assert alice.call("GET", "/v1/requests?cursor=elsewhere").status_code == 400


def test_what_does_not_exist_is_a_problem_too(world: World) -> None:
    alice = world.people["alice"]
    for path in ("/v1/requests/rq_0", "/v1/grants/gr_0", "/nowhere"):
        answer = alice.call("GET", path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert alice.call("PUT", "/v1/requests").status_code == 405


def test_the_served_ledger_verifies_with_every_act(world: World) -> None:
    for _ in range(21):
        assert ask(world.people["carol"]).status_code == 201
    world.settle()
    key = VerifierKey.parse(httpx.get(world.origin + "/ledger/vkey").text)
    with httpx.Client() as client:
        report = verify_log(RemoteSource(world.origin, client), (key,))
    assert report.entries > 20
    for name in ("tile/0/999", "tile/entries/000.p/256", "tile/0/../x", "tile/0/000.p/0"):
        assert httpx.get(f"{world.origin}/ledger/{name}").status_code in (400, 404)


def test_operations_answer_and_count_acts(world: World) -> None:
    assert ask(world.people["carol"]).status_code == 201
    world.settle()
    assert httpx.get(world.origin + "/healthz").status_code == 200
    assert httpx.get(world.origin + "/readyz").status_code == 200
    text = httpx.get(world.origin + "/metrics").text
    assert 'locum_acts_total{act="request.made",outcome="done"}' in text
    assert "locum_outbox_waiting" in text


def test_the_openapi_document_is_valid_and_names_the_endpoints(world: World) -> None:
    from openapi_spec_validator import validate

    document = httpx.get(world.origin + "/openapi.json").json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    for path in ("/v1/requests", "/v1/requests/{request_id}/activate", "/oauth/introspect"):
        assert path in document["paths"]
