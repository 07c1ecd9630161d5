"""What an account may order, and when: the path's laws decide, whatever the protocol offers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.acme.client import AcmeClient, base64url, der, fresh
from tests.attacks.test_record import entries
from tests.pki.authorities import csr
from tests.pki.rotating import NAME, PATH, RotatingWorld
from tests.pki.test_callers import SVID, as_svid, in_force

NAMES = (NAME, "pay.example.com")


@pytest.fixture
def client(world: RotatingWorld) -> Iterator[AcmeClient]:
    made = AcmeClient(world)
    made.register()
    yield made
    made.close()


def refused(answer: httpx.Response, word: str, saying: str = "", status: int = 0) -> None:
    told = answer.json()
    assert told["type"] == f"urn:ietf:params:acme:error:{word}", told
    assert saying in told["detail"], told
    assert answer.status_code == (status or told["status"])
    assert "replay-nonce" in answer.headers


def begun(client: AcmeClient, *names: str) -> dict[str, str]:
    client.world.announce()
    answer = client.order(*(names or NAMES))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_nothing_is_ordered_outside_the_window(client: AcmeClient) -> None:
    refused(client.order(*NAMES), "unauthorized", "No rotation of")
    client.world.announce(opens=timedelta(hours=1))
    refused(client.order(*NAMES), "unauthorized", "The window opens at")
    client.world.clock.advance(timedelta(hours=1))
    order = client.order(*NAMES).json()
    client.world.clock.advance(timedelta(minutes=31))
    refused(client.finalize(order, csr(fresh(), NAMES)), "orderNotReady")


def test_an_order_that_waits_for_approvals_is_refused_and_says_so(world: RotatingWorld) -> None:
    client = AcmeClient(world)
    client.register("payments-api/approved")
    world.announce(path="payments-api/approved")
    refused(client.order(*NAMES), "unauthorized", "waits for approvals")
    client.close()


@pytest.mark.parametrize("name", ["*.payments.internal", "other.internal", "internal"])
def test_a_name_that_the_primary_has_not_is_refused(client: AcmeClient, name: str) -> None:
    client.world.announce()
    refused(client.order(NAME, name), "rejectedIdentifier", "has not the name")


@pytest.mark.parametrize(
    "identifiers",
    [[], [{"type": "dns", "value": ""}], [{"type": "dns", "value": "a b"}],
     [{"type": "ip", "value": "10.0.0.0/8"}], [{"type": "dns", "value": "p\u00e4y"}], "all",
     [{"type": "dns"}], [{"type": "dns", "value": "a"}] * 101],
)  # fmt: skip
def test_identifiers_that_cannot_be_read_are_refused(
    client: AcmeClient, identifiers: object
) -> None:
    client.world.announce()
    answer = client.post(client.directory["newOrder"], {"identifiers": identifiers})
    refused(answer, "malformed", status=400)
    answer = client.post(
        client.directory["newOrder"], {"identifiers": [{"type": "email", "value": "a@b.c"}]}
    )
    refused(answer, "unsupportedIdentifier")


def test_the_life_of_a_backup_is_not_the_clients_to_say(client: AcmeClient) -> None:
    client.world.announce()
    payload = {
        "identifiers": [{"type": "dns", "value": NAME}],
        "notAfter": "2099-01-01T00:00:00Z",
    }
    refused(client.post(client.directory["newOrder"], payload), "malformed", "the path's to say")


def test_a_signing_request_must_be_for_the_orders_names_and_another_key(
    client: AcmeClient,
) -> None:
    order = begun(client, NAME)
    refused(client.finalize(order, csr(fresh(), NAMES)), "badCSR", "the order names")
    refused(client.finalize(order, csr(fresh())), "badCSR", "names nothing")
    refused(client.finalize(order, csr(fresh(), (NAME,), authority=True)), "badCSR")
    refused(client.finalize(order, csr(fresh(), (NAME,), subject="root")), "badCSR")
    refused(client.finalize(order, csr(client.key, (NAME,))), "badCSR", "account's own key")
    for text in ("", "AAAA", "!", base64url(b"\x30\x80")):
        answer = client.post(order["finalize"], {"csr": text})
        assert answer.status_code == 400, answer.text
    done = client.finalize(order, csr(fresh(), (NAME,)))
    assert done.json()["status"] == "valid"
    refused(client.finalize(order, csr(fresh(), (NAME,))), "orderNotReady")


def test_a_common_name_that_is_one_of_the_names_is_read_as_one(client: AcmeClient) -> None:
    order = begun(client)
    done = client.finalize(order, csr(fresh(), NAMES, subject=NAME))
    assert done.json()["status"] == "valid", done.text


def test_no_more_is_issued_than_the_path_has_uses(client: AcmeClient) -> None:
    client.world.announce()
    serials = {
        x509.load_pem_x509_certificates(client.fetched(NAME).encode())[0].serial_number
        for _ in range(2)
    }
    assert len(serials) == 2
    refused(client.order(NAME), "unauthorized", "uses")


def test_a_key_that_had_a_certificate_gets_no_other(client: AcmeClient) -> None:
    key = fresh()
    first = begun(client, NAME)
    assert client.finalize(first, csr(key, (NAME,))).json()["status"] == "valid"
    second = client.order(NAME).json()
    refused(client.finalize(second, csr(key, (NAME,))), "badCSR", "")


def test_anothers_order_is_not_told_of(client: AcmeClient) -> None:
    order, other = begun(client), AcmeClient(client.world)
    other.register()
    for url in (order["finalize"], order["authorizations"][0]):
        answer = other.post(url, {"csr": base64url(der(csr(fresh(), NAMES)))})
        assert answer.status_code in (400, 403), answer.text
    refused(other.post(order["finalize"].replace("finalize", "order")), "malformed")
    refused(other.post(order["finalize"].replace("finalize", "certificate")), "malformed")
    other.close()


def test_authorizations_are_valid_at_once_as_the_binding_is_what_authorizes(
    client: AcmeClient,
) -> None:
    order = begun(client)
    told = [client.post(url).json() for url in order["authorizations"]]
    assert {one["status"] for one in told} == {"valid"}
    assert {one["identifier"]["value"] for one in told} == set(NAMES)
    refused(client.post(order["authorizations"][0] + "9"), "malformed")


def test_the_account_dies_with_its_primary(client: AcmeClient) -> None:
    order = begun(client)
    client.world.clock.advance(timedelta(hours=999))
    answer = client.order(*NAMES)
    refused(answer, "unauthorized", "The certificate ended", 401)
    refused(
        client.finalize(order, csr(fresh(), NAMES)), "unauthorized", "The certificate ended", 401
    )


def test_after_a_cutover_the_account_rests_on_the_new_primary(world: RotatingWorld) -> None:
    minute = timedelta(minutes=1)
    world.primary = world.corporate.issue("payments", NAMES, begins=-60 * minute, life=70 * minute)
    client = AcmeClient(world)
    client.register()
    order, new = begun(client, NAME), world.renewed()
    client.finalize(order, csr(fresh(), (NAME,)))
    [row] = world.started.locum.store.look(
        lambda transaction: transaction.requests(state="open", limit=2)
    ).rows
    assert world.cutover(str(row.state.grant.id), new).json()["dead"]
    world.clock.advance(11 * minute)  # the old one has ended
    assert world.announce(new).status_code == 201
    assert client.order(*NAMES).status_code == 201
    client.close()


def test_no_account_is_bound_where_the_primary_is_worth_more(world: RotatingWorld) -> None:
    in_force(world, as_svid)
    svid = world.corporate.issue("", (SVID,), begins=-timedelta(hours=1))
    told = world.call("POST", "/v1/acme-keys", svid, json={"path": PATH})
    assert told.status_code == 403, told.text
    assert "An ACME account is weaker than the primary" in told.text
    assert "locum rotate" in told.text


def test_an_account_ends_when_the_estate_declares_a_primary_that_is_worth_more(
    world: RotatingWorld,
) -> None:
    world.primary = world.corporate.issue("payments", (*NAMES, SVID), begins=-timedelta(hours=1))
    client = AcmeClient(world)
    client.register()
    begun(client)
    in_force(world, as_svid)
    refused(client.order(*NAMES), "unauthorized", "weaker than the primary", 401)
    client.close()


def test_the_holder_of_the_certificates_key_may_revoke_and_a_stranger_may_not(
    client: AcmeClient,
) -> None:
    order, key = begun(client, NAME), fresh()
    url = client.finalize(order, csr(key, (NAME,))).json()["certificate"]
    leaf = x509.load_pem_x509_certificates(client.post(url).text.encode())[0]
    shown = base64url(leaf.public_bytes(Encoding.DER))
    where = client.directory["revokeCert"]
    stranger = AcmeClient(client.world)
    refused(stranger.post(where, {"certificate": shown}), "unauthorized")
    refused(
        stranger.post(where, {"certificate": shown, "reason": 6}, key=key), "badRevocationReason"
    )
    assert stranger.post(where, {"certificate": shown, "reason": 1}, key=key).status_code == 200
    refused(stranger.post(where, {"certificate": shown}, key=key), "alreadyRevoked")
    stranger.close()


def test_the_ledger_says_what_acme_did_and_holds_no_binding_key(world: RotatingWorld) -> None:
    client = AcmeClient(world)
    minted = client.mint()
    client.account = client.bind(minted).headers["location"]
    order = begun(client, NAME)
    client.finalize(order, csr(fresh(), (NAME,)))
    record = entries(world)
    for act in ("key-minted", "account-made", "order-made", "order-finalized"):
        assert f'"act":"acme.{act}"'.encode() in record, act
    assert minted["hmac_key"].encode() not in record
    client.close()
