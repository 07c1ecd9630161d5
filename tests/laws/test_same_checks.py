"""Law 7: what the primary demands of device, network and session, the path demands too."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from locum.laws.opening import Past, decide_opening
from locum.laws.permits import MayOpen, Refusal
from locum.laws.same_checks import conditions, conditions_hold, demands_as_much
from locum.model.refusal import Law
from tests.laws.declared import (
    ANN,
    ASK,
    BOB,
    CAROL,
    ESTATE,
    FACTS,
    IDENTITY,
    NOW,
    PATH,
    PRIMARY,
    approval,
    path,
)
from tests.laws.refused import refused_by

contexts = st.frozensets(st.sampled_from(("managed-device", "office", "attested", "fresh-session")))


def test_a_dropped_condition_is_named() -> None:
    refused_by(
        Law.SAME_CHECKS, demands_as_much(path(context=frozenset()), IDENTITY), "managed-device"
    )


def test_a_path_may_demand_more() -> None:
    assert demands_as_much(path(context=frozenset({"managed-device", "office"})), IDENTITY) == ()


def test_a_condition_that_does_not_hold_keeps_the_path_closed() -> None:
    missing = msgspec.structs.replace(FACTS, missing=("managed-device", "office"))
    yes = (approval(BOB), approval(CAROL))
    answer = decide_opening(PATH, IDENTITY, ASK, yes, ANN, ESTATE, Past(), missing, NOW)
    assert isinstance(answer, Refusal)
    refused_by(Law.SAME_CHECKS, answer, "managed-device")
    assert len(answer.breaches) == 2
    assert conditions_hold(()) == ()


@given(declared=contexts, demanded=contexts)
def test_a_grant_keeps_every_condition_of_both(
    declared: frozenset[str], demanded: frozenset[str]
) -> None:
    identity = msgspec.structs.replace(
        IDENTITY, primary=msgspec.structs.replace(PRIMARY, context=demanded)
    )
    of = path(context=declared)
    assert conditions(of, identity) == declared | demanded
    dropped = demands_as_much(of, identity)
    assert (dropped == ()) == (demanded <= declared)
    if dropped:
        refused_by(Law.SAME_CHECKS, dropped)


def test_an_open_grant_says_what_must_keep_holding() -> None:
    yes = (approval(BOB), approval(CAROL))
    answer = decide_opening(PATH, IDENTITY, ASK, yes, ANN, ESTATE, Past(), FACTS, NOW)
    assert isinstance(answer, MayOpen)
    assert answer.conditions == {"managed-device"}
