"""Law 1: what must be presented is worth as much as the primary, or a waiver in date says so."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from locum.laws.no_weaker import (
    no_weaker,
    path_strength,
    presented_as_declared,
    primary_strength,
    waived,
    weaker_than_primary,
)
from locum.laws.opening import Past, decide_opening
from locum.laws.permits import MayOpen, Refusal
from locum.model.estate import Identity, Primary
from locum.model.methods import CATALOGUE
from locum.model.path import Waiver
from locum.model.refusal import Law
from tests.laws.declared import (
    ANN,
    BOB,
    CAROL,
    ESTATE,
    FACTS,
    HOUR,
    IDENTITY,
    NOW,
    PATH,
    WAIVER,
    approval,
    ask,
    path,
    person,
)
from tests.laws.refused import refused_by

ALICE = person(ANN)


def test_a_saved_code_is_weaker_than_a_passkey() -> None:
    broken = weaker_than_primary(path(methods=("saved-recovery-code",)), ALICE)
    refused_by(Law.NO_WEAKER, broken, "phishing typed < phishing-resistant")


def test_a_second_passkey_is_no_weaker_than_the_first() -> None:
    assert weaker_than_primary(path(methods=("passkey-device-bound",)), ALICE) == ()


def test_a_method_that_nobody_knows_is_weaker_than_a_password() -> None:
    alice = msgspec.structs.replace(ALICE, primary=Primary(methods=("password",)))
    refused_by(Law.NO_WEAKER, weaker_than_primary(path(methods=("carrier-pigeon",)), alice))


def test_a_secret_in_a_vault_is_worth_no_more_than_the_secret() -> None:
    certified = msgspec.structs.replace(IDENTITY, primary=Primary(methods=("x509-certificate",)))
    assert weaker_than_primary(path(methods=("leased-token",)), certified) == ()
    refused_by(Law.NO_WEAKER, weaker_than_primary(path(methods=("vaulted-secret",)), certified))


def test_a_waiver_accepts_a_downgrade_until_its_end_and_not_at_it() -> None:
    weak = path(methods=("saved-recovery-code",), waiver=WAIVER)
    assert no_weaker(weak, ALICE, WAIVER.until - timedelta(microseconds=1)) == ()
    refused_by(Law.NO_WEAKER, no_weaker(weak, ALICE, WAIVER.until))
    refused_by(Law.NO_WEAKER, no_weaker(weak, ALICE, WAIVER.until + HOUR))


def test_without_a_waiver_a_downgrade_is_refused() -> None:
    assert not waived(PATH, NOW)
    refused_by(Law.NO_WEAKER, no_weaker(path(methods=("saved-recovery-code",)), ALICE, NOW))


def opening(waiver: Waiver | None, identity: Identity) -> MayOpen | Refusal:
    asked_for = path(methods=("vaulted-secret",), waiver=waiver)
    asked = ask(asked_for)
    yes = (approval(BOB, asked), approval(CAROL, asked))
    return decide_opening(asked_for, identity, asked, yes, ANN, ESTATE, Past(), FACTS, NOW)


def test_a_downgrade_opens_only_under_a_waiver_in_date() -> None:
    primary = msgspec.structs.replace(IDENTITY.primary, methods=("x509-certificate",))
    certified = msgspec.structs.replace(IDENTITY, primary=primary)
    assert isinstance(opening(WAIVER, certified), MayOpen)
    for waiver in (None, msgspec.structs.replace(WAIVER, until=NOW)):
        answer = opening(waiver, certified)
        assert isinstance(answer, Refusal)
        refused_by(Law.NO_WEAKER, answer)


def test_what_a_path_declares_must_be_presented_and_nothing_stands_in_for_it() -> None:
    refused_by(Law.NO_WEAKER, presented_as_declared(PATH, IDENTITY, frozenset()), "locum-key")
    other = frozenset({"passkey-device-bound"})
    refused_by(Law.NO_WEAKER, presented_as_declared(PATH, IDENTITY, other))
    assert presented_as_declared(PATH, IDENTITY, frozenset({"locum-key", "password"})) == ()


def test_an_unproved_key_opens_nothing() -> None:
    nothing = msgspec.structs.replace(FACTS, presented=frozenset())
    yes = (approval(BOB), approval(CAROL))
    answer = decide_opening(PATH, IDENTITY, ask(), yes, ANN, ESTATE, Past(), nothing, NOW)
    assert isinstance(answer, Refusal)
    refused_by(Law.NO_WEAKER, answer)


methods = st.lists(st.sampled_from((*CATALOGUE, "unheard-of")), min_size=1, max_size=3).map(tuple)


@given(methods, methods)
def test_a_path_is_refused_just_where_some_component_falls_short(
    declared: tuple[str, ...], primary: tuple[str, ...]
) -> None:
    identity = msgspec.structs.replace(IDENTITY, primary=Primary(methods=primary))
    asked_for = path(methods=declared)
    have, need = path_strength(asked_for, identity), primary_strength(identity)
    reaches = (
        have.factors >= need.factors
        and have.phishing >= need.phishing
        and have.binding >= need.binding
        and have.proofing >= need.proofing
    )
    broken = no_weaker(asked_for, identity, NOW)
    assert (broken == ()) == reaches
    if broken:
        refused_by(Law.NO_WEAKER, broken)
