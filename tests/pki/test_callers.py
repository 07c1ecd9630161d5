"""Whose certificate counts, over real TLS: pinned, in its own bundle, in date, not revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from ruamel.yaml import YAML

from locum.estate.loading import load_lawful
from locum.service.elapse import recheck, watched_paths
from tests.attacks.test_record import entries
from tests.pki.authorities import HOUR, CorporateAuthority, Held
from tests.pki.published import Published, published
from tests.pki.rotating import NAME, RotatingWorld

SVID = "spiffe://example.org/payments"


@pytest.fixture
def source() -> Iterator[Published]:
    with published() as made:
        yield made


def in_force(world: RotatingWorld, change: Any) -> None:
    """Change the estate's file, and put it in force."""
    file, yaml = world.data / "estate.yaml", YAML(typ="safe")
    whole = yaml.load(file.read_text())
    change(whole)
    file.write_text(json.dumps(whole, default=str))
    world.started.locum.estate.replace(load_lawful(file, world.clock.now()))


def revocation_list(
    authority: CorporateAuthority, *held: Held, life: timedelta = 100 * HOUR
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(authority.now - HOUR)
        .next_update(authority.now + life)
    )
    for one in held:
        revoked = (
            x509.RevokedCertificateBuilder()
            .serial_number(one.certificate.serial_number)
            .revocation_date(authority.now)
        )
        builder = builder.add_revoked_certificate(revoked.build())
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)


def refusal(world: RotatingWorld, held: Held) -> str:
    """What a caller with this certificate is told; a refused handshake is told as that."""
    try:
        answer = world.announce(held)
    except httpx.HTTPError:
        return "the handshake"
    return "" if answer.status_code == 201 else answer.text


def test_the_primary_is_known_by_its_pin_and_nothing_like_it(world: RotatingWorld) -> None:
    assert refusal(world, world.primary) == ""
    issue = world.corporate.issue
    for held, saying in (
        (issue("payments", ("pay.example.com",)), "No identity is known"),
        (issue("payments", ("PAYMENTS.internal.example",)), "No identity is known"),
        (issue("payments", (NAME,), begins=HOUR), "handshake|valid from"),
        (issue("payments", (NAME,), begins=-2 * HOUR, life=HOUR), "handshake|ended at"),
        (issue("payments", (NAME, "gateway.internal")), "several identities"),
    ):
        said = refusal(world, held)
        assert any(one in said for one in saying.split("|")), (saying, said)


def test_an_authority_of_one_bundle_does_not_speak_for_another(
    world: RotatingWorld,
) -> None:
    other = CorporateAuthority(world.folder / "other", world.clock.now(), "Other CA")
    stranger = other.issue("payments", (NAME,))
    assert refusal(world, stranger) == "the handshake"

    def both(whole: Any) -> None:
        whole["trust"]["other"] = {"certificates": other.pem}

    in_force(world, both)  # TLS believes both bundles now
    assert "No identity is known" in refusal(world, stranger)
    lookalike = CorporateAuthority(world.folder / "lookalike", world.clock.now())
    forged = lookalike.issue("payments", (NAME,))
    assert refusal(world, forged) == "the handshake"

    def named_alike(whole: Any) -> None:
        whole["trust"]["lookalike"] = {"certificates": lookalike.pem}

    in_force(world, named_alike)  # TLS believes both authorities of that one name
    assert "No identity is known" in refusal(world, forged)
    assert refusal(world, world.primary) == ""


def test_a_bundle_that_changes_is_followed_by_the_next_handshake(world: RotatingWorld) -> None:
    other = CorporateAuthority(world.folder / "other", world.clock.now(), "Other CA")
    stranger = other.issue("payments", (NAME,))

    def replaced(whole: Any) -> None:
        whole["trust"]["corporate"]["certificates"] = other.pem

    in_force(world, replaced)
    assert refusal(world, stranger) == ""
    assert refusal(world, world.primary) == "the handshake"


def test_what_the_bundles_list_revokes_is_nobody_and_so_is_what_it_cannot_decide(
    world: RotatingWorld, source: Published
) -> None:
    def listed(whole: Any) -> None:
        whole["trust"]["corporate"]["crl"] = f"{source.url}/crl"

    in_force(world, listed)
    assert "cannot be decided" in refusal(world, world.primary)  # there is no list yet
    world.clock.advance(timedelta(seconds=31))
    stranger = CorporateAuthority(world.folder / "stranger", world.clock.now())
    for odd in (b"", b"no list", revocation_list(stranger), b"\x30\x80" * 50):
        source.bodies["/crl"] = odd
        assert "cannot be decided" in refusal(world, world.primary)
        world.clock.advance(timedelta(seconds=31))
    source.bodies["/crl"] = revocation_list(world.corporate)
    assert refusal(world, world.primary) == ""
    gone = world.corporate.issue("payments", (NAME,))
    source.bodies["/crl"] = revocation_list(world.corporate, gone)
    world.clock.advance(51 * HOUR)  # half of the list's life is over
    assert "is revoked" in refusal(world, gone)
    assert refusal(world, world.primary) == ""
    del source.bodies["/crl"]
    world.clock.advance(60 * HOUR)  # its end
    assert "cannot be decided" in refusal(world, world.primary)


def test_a_primary_that_is_revoked_while_its_backup_is_open_closes_it(
    world: RotatingWorld, source: Published
) -> None:
    source.bodies["/crl"] = revocation_list(world.corporate, life=HOUR / 3)

    def listed(whole: Any) -> None:
        whole["trust"]["corporate"]["crl"] = f"{source.url}/crl"
        identity = whole["identities"]["payments-api"]
        for declared in (identity["primary"], *identity["fallbacks"].values()):
            declared.pop("context")  # so that no condition is what it is watched for

    in_force(world, listed)
    grant, _ = world.opened()
    locum = world.started.locum
    watched = [str(path.name) for path in watched_paths(locum.estate.now)]
    assert "payments-api/rotation-backup" in watched
    assert recheck(locum) == 0
    source.bodies["/crl"] = revocation_list(world.corporate, world.primary)
    world.clock.advance(timedelta(minutes=1))
    assert recheck(locum) == 1
    assert b'"how":"signal"' in entries(world)
    new = world.renewed()
    [certificate] = world.call("GET", f"/v1/grants/{grant}/certificates", new).json()
    assert certificate["revoked_at"] is not None


def test_a_pin_that_is_taken_back_closes_what_it_opened(world: RotatingWorld) -> None:
    world.opened()

    def repinned(whole: Any) -> None:
        primary = whole["identities"]["payments-api"]["primary"]
        primary["known_by"] = {"trust": "corporate", "name": "dns:other.internal"}

    in_force(world, repinned)
    assert "No identity is known" in refusal(world, world.primary)
    assert recheck(world.started.locum) == 1


def test_an_authority_that_is_taken_out_of_its_bundle_closes_what_it_opened(
    world: RotatingWorld,
) -> None:
    world.opened()
    other = CorporateAuthority(world.folder / "other", world.clock.now(), "Other CA")

    def added(whole: Any) -> None:
        whole["trust"]["corporate"]["certificates"] += other.pem

    in_force(world, added)
    assert recheck(world.started.locum) == 0

    def removed(whole: Any) -> None:
        whole["trust"]["corporate"]["certificates"] = other.pem

    in_force(world, removed)
    assert recheck(world.started.locum) == 1


def as_svid(whole: Any) -> None:
    whole["trust"]["corporate"]["spiffe"] = "example.org"
    primary = whole["identities"]["payments-api"]["primary"]
    primary["method"] = "spiffe-x509-svid"
    primary["known_by"] = {"trust": "corporate", "name": f"uri:{SVID}"}
    whole["identities"]["payments-api"]["fallbacks"].pop("approved")


def test_an_x509_svid_is_its_one_uri_of_the_bundles_trust_domain(world: RotatingWorld) -> None:
    in_force(world, as_svid)
    issue = world.corporate.issue
    world.primary = issue("", (SVID,), begins=-HOUR)
    grant, pem = world.opened()
    leaf = x509.load_pem_x509_certificates(pem.encode())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [SVID]
    assert world.cutover(grant, issue("", (SVID,))).json()["dead"]
    for held, saying in (
        (issue("", (SVID, "spiffe://example.org/another")), "has one URI"),
        (issue("", ("spiffe://example.org/another",)), "No identity is known"),
        (issue("", ("spiffe://example.com/payments",)), "No identity is known"),
        (issue("payments", (NAME,)), "No identity is known"),
    ):
        assert saying in refusal(world, held), saying
