"""Workload tokens: issuer, audience and subject pinned, keys of the issuer, in date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from tests.pki.published import Published, published
from tests.pki.rotating import PATH, RotatingWorld
from tests.pki.test_callers import in_force

SUBJECT = "system:serviceaccount:payments:api"


@pytest.fixture
def source() -> Iterator[Published]:
    with published() as made:
        yield made


class Issuer:
    """An issuer of tokens, with its discovery and keys."""

    def __init__(self, world: RotatingWorld, source: Published) -> None:
        self.world, self.source, self.key = world, source, self._new("one")
        self.publish()

        def known(whole: Any) -> None:
            whole["trust"]["cluster"] = {"issuer": source.url, "audience": "locum"}
            whole["identities"]["gateway"]["primary"] = {
                "method": "oidc-workload-token",
                "known_by": {"trust": "cluster", "subject": SUBJECT},
            }

        in_force(world, known)

    def _new(self, kid: str) -> ECKey:
        return ECKey.generate_key("P-256", {"kid": kid})

    def rotate(self, kid: str) -> None:
        self.key = self._new(kid)

    def publish(self) -> None:
        discovered = {"issuer": self.source.url, "jwks_uri": f"{self.source.url}/keys"}
        self.source.bodies["/.well-known/openid-configuration"] = json.dumps(discovered).encode()
        self.source.bodies["/keys"] = json.dumps(
            {"keys": [self.key.as_dict(private=False)]}
        ).encode()

    def token(self, header: Any = None, key: Any = None, **claims: Any) -> str:
        now = int(self.world.clock.now().timestamp())
        whole = {
            "iss": self.source.url, "aud": ["locum", "other"], "sub": SUBJECT, "iat": now,
            "exp": now + 600,
        } | claims  # fmt: skip
        whole = {name: value for name, value in whole.items() if value is not None}
        shown = {"alg": "ES256", "kid": self.key.kid} | (header or {})
        return jwt.encode(shown, whole, key or self.key, algorithms=[shown["alg"]])

    def call(
        self, token: str, method: str = "GET", path: str = "/v1/requests/rq_none", **how: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.world.call(method, path, headers=headers, **how)

    def known(self, token: str) -> bool:
        """Whether the caller is somebody; what it asks for does not exist."""
        status = self.call(token).status_code
        assert status in (401, 404), status
        return status == 404


@pytest.fixture
def issuer(world: RotatingWorld, source: Published) -> Issuer:
    return Issuer(world, source)


def test_a_token_of_the_pinned_issuer_audience_and_subject_is_known(issuer: Issuer) -> None:
    assert issuer.known(issuer.token())
    assert issuer.known(issuer.token(aud="locum"))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": []},
        {"aud": None},
        {"sub": "system:serviceaccount:payments:another"},
        {"sub": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1},
        {"nbf": 99_999_999_999},
        {"iat": 99_999_999_999, "exp": 99_999_999_999 + 60},
        {"exp": 99_999_999_999},
    ],
    ids=str,
)
def test_any_other_claim_is_nobody(issuer: Issuer, claims: dict[str, Any]) -> None:
    assert not issuer.known(issuer.token(**claims))


def test_no_key_but_the_issuers_own_signs(issuer: Issuer) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "one"})
    assert not issuer.known(issuer.token(key=stranger))
    public = json.dumps(issuer.key.as_dict(private=False))
    confused = OctKey.import_key(public.encode())
    assert not issuer.known(issuer.token(header={"alg": "HS256"}, key=confused))
    head, said, _ = issuer.token().split(".")
    none = jwt.encode({"alg": "HS256"}, {}, confused, algorithms=["HS256"]).split(".")[0]
    for forged in (
        f"{head}.{said}.",
        f"{none}.{said}.",
        f"{head}.{said}.AAAA",
        "a.b.c",
        "x",
        "." * 9,
    ):
        assert not issuer.known(forged)
    brought = issuer.token(header={"jwk": stranger.as_dict(private=False)}, key=stranger)
    assert not issuer.known(brought)


def test_a_key_that_is_new_is_fetched_once_and_an_old_one_is_forgotten(issuer: Issuer) -> None:
    old = issuer.token()
    assert issuer.known(old)
    issuer.rotate("two")
    issuer.publish()
    issuer.world.clock.advance(timedelta(seconds=31))
    before = len(issuer.source.asked)
    assert issuer.known(issuer.token())
    assert len(issuer.source.asked) > before
    issuer.world.clock.advance(timedelta(seconds=2))
    assert not issuer.known(old)
    issuer.rotate("three")  # not published
    before = len(issuer.source.asked)
    for _ in range(5):
        assert not issuer.known(issuer.token())
    assert len(issuer.source.asked) - before <= 2  # nobody makes Locum ask at will


def test_keys_are_kept_for_an_hour_while_their_source_is_away(issuer: Issuer) -> None:
    assert issuer.known(issuer.token())
    issuer.source.bodies.clear()
    issuer.world.clock.advance(timedelta(minutes=59))
    assert issuer.known(issuer.token())
    issuer.world.clock.advance(timedelta(minutes=2))
    assert not issuer.known(issuer.token())
    issuer.publish()
    issuer.world.clock.advance(timedelta(seconds=31))
    assert issuer.known(issuer.token())


@pytest.mark.parametrize("body", [b"", b"[]", b'{"keys": 1}', b'{"keys": [{}]}', b"\xff" * 100])
def test_a_key_set_that_cannot_be_read_admits_nobody(issuer: Issuer, body: bytes) -> None:
    issuer.source.bodies["/keys"] = body
    assert not issuer.known(issuer.token())


def test_a_discovery_that_names_another_issuer_is_not_believed(issuer: Issuer) -> None:
    told = {"issuer": "https://elsewhere.example", "jwks_uri": f"{issuer.source.url}/keys"}
    issuer.source.bodies["/.well-known/openid-configuration"] = json.dumps(told).encode()
    assert not issuer.known(issuer.token())


def test_who_shows_a_token_touches_nothing_of_others_and_gets_no_certificate(
    issuer: Issuer,
) -> None:
    body = {"path": PATH, "cause": "planned-rotation", "reason": "mine"}
    assert issuer.call(issuer.token(), "POST", "/v1/requests", json=body).status_code == 404
    grant, _ = issuer.world.opened()
    assert issuer.call(issuer.token(), path=f"/v1/grants/{grant}").status_code == 404
    for path in ("/v1/grants", "/v1/keys", "/v1/findings"):
        assert issuer.call(issuer.token(), path=path).status_code == 403
    minted = issuer.call(issuer.token(), "POST", "/v1/acme-keys", json={"path": PATH})
    assert minted.status_code == 404


def test_a_guard_by_token_is_believed_about_a_cutover(issuer: Issuer) -> None:
    grant, _ = issuer.world.opened()
    seen = {"certificate": issuer.world.renewed().pem, "seen": "access.log"}
    told = issuer.call(issuer.token(), "POST", f"/v1/grants/{grant}/cutover", json=seen)
    assert told.json()["how"] == "cutover", told.text


def test_a_jwt_svid_is_of_its_trust_domain(issuer: Issuer) -> None:
    svid = "spiffe://example.org/gateway"

    def spiffe(whole: Any) -> None:
        whole["trust"]["cluster"] = {
            "spiffe": "example.org", "audience": "locum", "jwks": f"{issuer.source.url}/keys",
        }  # fmt: skip
        whole["identities"]["gateway"]["primary"] = {
            "method": "spiffe-jwt-svid",
            "known_by": {"trust": "cluster", "subject": svid},
        }

    in_force(issuer.world, spiffe)
    keys = {"keys": [issuer.key.as_dict(private=False) | {"use": "jwt-svid"}]}
    issuer.source.bodies["/keys"] = json.dumps(keys).encode()
    assert issuer.known(issuer.token(iss=None, sub=svid))
    for other in ("spiffe://example.com/gateway", "spiffe://example.org/another", SUBJECT):
        assert not issuer.known(issuer.token(iss=None, sub=other))
