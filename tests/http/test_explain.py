"""A running Locum explains an identity of its estate in force."""

from __future__ import annotations

from datetime import timedelta

from locum.service.rounds import EstateWatch
from tests.http.world import World, opened


def _findings(world: World, person: str = "alice") -> set[tuple[str, str]]:
    answer = world.people[person].call("GET", "/v1/explain/service")
    assert answer.status_code == 200, answer.text
    return {(one["rule"], one["subject"]) for one in answer.json()["now"]["findings"]}


def test_what_the_record_knows_is_part_of_the_answer(world: World) -> None:
    assert ("unreviewed", "service/lease") not in _findings(world)
    grant, _ = opened(world.people["alice"])
    world.people["alice"].call("POST", f"/v1/grants/{grant}/close", json={"reason": "done"})
    world.clock.advance(timedelta(days=2))
    world.sign_in()
    assert ("unreviewed", "service/lease") in _findings(world)
    answer = world.people["dana"].call(
        "POST", f"/v1/grants/{grant}/review", json={"verdict": "emergency", "comment": "fine"}
    )
    assert answer.status_code == 200, answer.text
    assert ("unreviewed", "service/lease") not in _findings(world)


def test_a_further_way_in_is_thought_in(world: World) -> None:
    answer = world.people["alice"].call("GET", "/v1/explain/bob?with=password&with=second-key")
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["kind"] == "locum.explain/1"
    assert "bob/password" not in said["now"]["ways"]
    assert {"bob/password", "bob/second-key"} <= set(said["then"]["ways"])


def test_whom_nobody_knows_is_not_found_and_nonsense_is_refused(world: World) -> None:
    alice = world.people["alice"]
    assert alice.call("GET", "/v1/explain/nobody").status_code == 404
    assert alice.call("GET", "/v1/explain/bob?with=magic").status_code == 400
    many = "&".join(["with=password"] * 17)
    assert alice.call("GET", f"/v1/explain/bob?{many}").status_code == 400


def test_what_was_found_since_the_start_is_explained(world: World) -> None:
    file, watch = world.data / "estate.yaml", EstateWatch(world.started)
    before = world.started.locum.estate.now.digest
    file.write_text(
        file.read_text() + "found:\n  old-key: {identity: service, method: api-key, ends: never}\n"
    )
    watch.look()
    assert world.started.locum.estate.now.digest == before
    assert any(subject == "service/old-key" for _, subject in _findings(world))


def test_a_disabled_identity_is_explained_and_no_fault_of_the_server(world: World) -> None:
    file, watch = world.data / "estate.yaml", EstateWatch(world.started)
    gone = "  erin: {kind: human, owner: e@example.com, disabled: true, primary: {method: totp}}\n"
    file.write_text(file.read_text().replace("  service:\n", gone + "  service:\n", 1))
    watch.look()
    answer = world.people["alice"].call("GET", "/v1/explain/erin")
    assert answer.status_code == 200, answer.text
    assert answer.json()["now"]["weakest"] == "no way in"
