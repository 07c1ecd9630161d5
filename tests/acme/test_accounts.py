"""Accounts: bound by the primary, each call signed for one URL, each nonce spent once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.acme.client import AcmeClient, base64url, binding, encoded, fresh, jws, public
from tests.acme.test_orders import refused
from tests.pki.rotating import PATH, RotatingWorld


@pytest.fixture
def client(world: RotatingWorld) -> Iterator[AcmeClient]:
    made = AcmeClient(world)
    yield made
    made.close()


def test_an_account_needs_a_binding_made_by_the_primary(client: AcmeClient) -> None:
    url = client.directory["newAccount"]
    refused(client.post(url, {}), "externalAccountRequired")
    refused(client.post(url, {"onlyReturnExisting": True}), "accountDoesNotExist")
    minted = client.mint()
    wrong = {
        "another key": minted | {"hmac_key": base64url(b"x" * 32)},
        "another name": minted | {"kid": "00" * 16},
    }
    for one in wrong.values():
        refused(client.bind(one), "unauthorized", "binding does not hold")
    for alg in ("none", "HS512", "ES256"):
        bound = binding(minted["kid"], minted["hmac_key"], url, public(client.key), alg)
        refused(client.post(url, {"externalAccountBinding": bound}), "badSignatureAlgorithm")
    bound = binding(minted["kid"], minted["hmac_key"], url, public(fresh()))
    refused(client.post(url, {"externalAccountBinding": bound}), "malformed", "another account")
    assert client.bind(minted).status_code == 201


def test_a_binding_key_binds_one_account_for_ten_minutes(client: AcmeClient) -> None:
    minted = client.mint()
    assert client.bind(minted).status_code == 201
    assert client.bind(minted).status_code == 200  # the same key: its own account
    other = AcmeClient(client.world)
    refused(other.bind(minted), "unauthorized")
    late = client.mint()
    client.world.clock.advance(timedelta(minutes=10))
    refused(other.bind(late), "unauthorized")
    other.close()


def test_a_binding_key_is_minted_by_the_primary_and_for_its_own_path_only(
    world: RotatingWorld,
) -> None:
    minted = world.call("POST", "/v1/acme-keys", world.gateway, json={"path": PATH})
    assert minted.status_code == 404, minted.text
    assert world.call("POST", "/v1/acme-keys", json={"path": PATH}).status_code == 401
    shown = world.call("POST", "/v1/acme-keys", world.primary, json={"path": PATH})
    assert shown.headers["cache-control"] == "no-store"


def test_a_nonce_is_spent_by_the_first_call_and_lives_four_minutes(client: AcmeClient) -> None:
    client.register()
    url, nonce = client.account, client.nonce()
    assert client.post(url, nonce=nonce).status_code == 200
    refused(client.post(url, nonce=nonce), "badNonce")
    old = client.nonce()
    client.world.clock.advance(timedelta(minutes=4))
    refused(client.post(url, nonce=old), "badNonce")
    for made_up in ("", "AAAA", base64url(b"x" * 40)):
        refused(client.post(url, nonce=made_up), "badNonce")


def test_a_call_is_signed_by_its_own_key_for_its_own_url(client: AcmeClient) -> None:
    client.register()
    url = client.account
    refused(client.post(url, key=fresh()), "unauthorized")
    refused(client.post(url, url=url + "/orders"), "unauthorized", "`url`")
    refused(client.post(url, kid=url + "0"), "accountDoesNotExist")
    refused(client.post(url, jwk=public(client.key)), "malformed", "`kid`")
    refused(client.post(url, crit=["b64"]), "malformed")
    for alg in ("none", "HS256", "ES384"):
        refused(client.post(url, alg=alg), "badSignatureAlgorithm")
    refused(client.post(url, alg="RS256"), "unauthorized")


def test_bodies_that_are_no_jws_are_refused(client: AcmeClient) -> None:
    client.register()
    url = client.account
    good = jws(client.key, {"kid": url, "url": url, "nonce": client.nonce()})
    for body in (
        b"", b"{}", b"[]", b"\xff", b'{"protected":' * 5000, good | {"header": {}},
        good | {"protected": "e30="}, good | {"signature": "x"}, good | {"payload": "e30"},
        good | {"protected": encoded({"alg": "ES256"})}, good | {"signatures": []},
    ):  # fmt: skip
        answer = client.send(url, body)
        assert answer.status_code in (400, 403), (body, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.send(url, good, "application/json").status_code == 415
    assert client.send(url, good).status_code == 200


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "oct", "k": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "RSA", "n": base64url(b"\x80" + bytes(127)), "e": "AQAB"},
        {},
    ],
    ids=["secret", "not on the curve", "RSA 1024", "nothing"],
)
def test_keys_that_are_not_taken(client: AcmeClient, jwk: dict[str, str]) -> None:
    refused(client.post(client.directory["newAccount"], {}, jwk=jwk), "badPublicKey")


def test_a_private_key_is_not_taken(client: AcmeClient) -> None:
    jwk = public(client.key) | {"d": "AAAA"}
    refused(client.post(client.directory["newAccount"], {}, jwk=jwk), "badPublicKey")


def test_an_account_changes_its_key_and_the_old_one_is_dead(client: AcmeClient) -> None:
    client.register()
    url, new, old = client.directory["keyChange"], fresh(), client.key
    said = {"account": client.account, "oldKey": public(old)}
    inner = jws(new, {"jwk": public(new), "url": url}, said)
    refused(client.post(url, jws(old, {"jwk": public(new), "url": url}, said)), "unauthorized")
    refused(client.post(url, jws(old, {"jwk": public(old), "url": url}, said)), "malformed")
    assert client.post(url, inner).status_code == 200
    refused(client.post(client.account), "unauthorized")
    client.key = new
    assert client.post(client.account).json()["status"] == "valid"


def test_a_key_has_one_account(client: AcmeClient) -> None:
    client.register()
    other = AcmeClient(client.world)
    other.register()
    url = client.directory["keyChange"]
    said = {"account": client.account, "oldKey": public(client.key)}
    answer = client.post(url, jws(other.key, {"jwk": public(other.key), "url": url}, said))
    assert answer.status_code == 409, answer.text
    assert answer.headers["location"] == other.account
    other.close()


def test_a_deactivated_account_is_over(client: AcmeClient) -> None:
    client.register()
    other = AcmeClient(client.world)
    other.register()
    refused(other.post(client.account, {"status": "deactivated"}), "unauthorized")
    other.close()
    gone = client.post(client.account, {"status": "deactivated"})
    assert gone.json()["status"] == "deactivated"
    refused(client.post(client.account), "unauthorized", "deactivated", 401)
