"""Names and forms: case, aliases, Unicode, control characters, and forged proofs and tokens."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from locum.estate.checking import check
from locum.estate.problem import EstateError
from tests.attacks.test_rows import in_force
from tests.http.test_lives import approve
from tests.http.world import ESTATE, Person, World, ask
from tests.servers.clock import START

PERSON = "{{kind: human, owner: x@example.com, primary: {{method: passkey-device-bound}}}}"
ALIASES = ("Alice", "ALICE", "alice ", " alice", "alice\x00", "ａlice", "al\u0456ce", "alice/", "")
PATHS = (
    *("Service/lease", "service/Lease", "service/lease ", "service//lease", "service/lease\x00"),
    *("service/../service/lease", "service%2Flease", "ſervice/lease", "service", "/lease"),
)


@pytest.mark.parametrize("alias", ALIASES)
def test_another_spelling_of_a_name_is_nobody(world: World, alias: str) -> None:
    answer = world.people["alice"].call("POST", "/v1/invitations", json={"identity": alias})
    assert answer.status_code in (400, 403, 404)


@pytest.mark.parametrize("path", PATHS)
def test_another_spelling_of_a_path_opens_nothing(world: World, path: str) -> None:
    answer = ask(world.people["alice"], path)
    assert answer.status_code in (400, 404)
    assert answer.json()["remedy"]


@pytest.mark.parametrize("alias", ["Bob", "bob ", "bob\u200b"])
def test_a_second_spelling_of_one_person_is_no_second_person(tmp_path: Path, alias: str) -> None:
    person = f'  "{alias}": {PERSON}\n'
    text = ESTATE.replace("identities:\n", "identities:\n" + person)
    file = tmp_path / "estate.yaml"
    file.write_text(text.format(closed=1))
    try:
        refused = check(file, START).refused
    except EstateError:
        refused = True
    assert refused


def test_a_group_of_another_case_does_not_approve(world: World, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(ESTATE.replace("of: leads", "of: Leads").format(closed=1))
    assert check(file, world.clock.now()).refused


def forged(person: Person, path: str, **header: Any) -> str:
    """A proof with another header, signed by the person's own key where it can be."""
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": person.key.as_dict(private=False)} | header
    claims = {"htm": "GET", "htu": person.origin + path, "iat": int(person.clock.now().timestamp()),
              "jti": json.dumps(header, default=str)}  # fmt: skip
    parts = (json.dumps(part).encode() for part in (head, claims))
    first, second = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    signed: str = jws.serialize_compact({"alg": "ES256"}, json.dumps(claims).encode(), person.key)
    return f"{first}.{second}.{signed.rsplit('.', 1)[1]}"


@pytest.mark.parametrize(
    "header",
    [{"alg": "none"}, {"alg": "HS256"}, {"alg": "ES384"}, {"alg": "es256"}, {"typ": "JWT"},
     {"jwk": {"kty": "oct", "k": "eA"}}, {"jwk": None}, {"jwk": {"kty": "EC", "crv": "P-256"}},
     {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/cert"}, {"crit": ["exp"]},
     {"kid": "../../etc/passwd"}, {"b64": False}],
    ids=str,
)  # fmt: skip
def test_algorithm_and_key_confusion_in_a_proof_is_refused(
    world: World, header: dict[str, Any]
) -> None:
    alice = world.people["alice"]
    headers = {"Authorization": f"DPoP {alice.token}", "DPoP": forged(alice, "/v1/paths", **header)}
    assert httpx.get(world.origin + "/v1/paths", headers=headers).status_code == 401


def test_an_access_token_of_anothers_making_is_none(world: World) -> None:
    alice, mallory = world.people["alice"], ECKey.generate_key("P-256")
    head, claims, _ = alice.token.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    own = {"alg": "ES256", "typ": "at+jwt"}
    published = httpx.get(f"{world.origin}/oauth/jwks").json()["keys"][0]
    as_secret = OctKey.import_key(json.dumps(published).encode())
    tokens = [
        jwt.encode(own, said, mallory),
        jwt.encode({"alg": "HS256", "typ": "at+jwt"}, said, as_secret),
        f"{base64.urlsafe_b64encode(json.dumps({'alg': 'none'}).encode()).decode()}.{claims}.",
        f"{head}.{claims}.",
        f"{head}.{claims}.{'A' * 86}",
    ]
    for token in tokens:
        stranger = Person(world.origin, world.clock, key=alice.key, token=token)
        assert stranger.call("GET", "/v1/paths").status_code == 401


def test_two_headers_of_one_name_prove_nothing(world: World) -> None:
    alice = world.people["alice"]
    good = alice.headers("GET", "/v1/paths")
    twice = [*good.items(), ("DPoP", alice.proof("GET", "/v1/paths"))]
    assert httpx.get(world.origin + "/v1/paths", headers=twice).status_code == 401


def test_an_approver_whom_the_estate_no_longer_knows_does_not_count(world: World) -> None:
    alice, bob, carol = (world.people[name] for name in ("alice", "bob", "carol"))
    request = ask(alice, "service/approved", evidence={"incident": "INC-9"}).json()
    try:
        in_force(world, ESTATE.replace("leads: [alice, bob, carol]", "leads: [alice, carol]"))
        assert approve(bob, request).status_code == 403
        assert approve(carol, request).json()["state"] == "requested"
    finally:
        in_force(world, ESTATE)
