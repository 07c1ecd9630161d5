"""An ACME account stands in for a primary only where it is worth as much (law 1)."""

from __future__ import annotations

import pytest

from locum.laws.standing_in import stands_in
from locum.model.estate import Identity, Kind, Primary
from locum.model.names import IdentityName
from locum.model.refusal import Law
from locum.model.strength import Proofing


def workload(*methods: str, proofing: Proofing = Proofing.NONE) -> Identity:
    primary = Primary(methods)
    return Identity(IdentityName("pay"), Kind.WORKLOAD, "team", primary, {}, proofing=proofing)


def test_it_stands_in_for_a_certificate() -> None:
    assert stands_in(workload("x509-certificate")) == ()


@pytest.mark.parametrize(
    "identity",
    [workload("spiffe-x509-svid"), workload("security-key-attested"),
     workload("x509-certificate", "password")],
    ids=["attested workload", "attested hardware", "two factors"],
)  # fmt: skip
def test_it_does_not_stand_in_for_what_is_worth_more(identity: Identity) -> None:
    [breach] = stands_in(identity)
    assert breach.law is Law.NO_WEAKER
    assert "locum rotate" in breach.remedy
