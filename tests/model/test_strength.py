"""Strength is a lattice, and what rests on one root counts once."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from locum.model.methods import CATALOGUE, FALLBACKS, Presented, method, strength_together
from locum.model.strength import (
    AAL1,
    AAL2,
    AAL3,
    WEAKEST,
    Binding,
    Factors,
    Phishing,
    Proofing,
    Strength,
)

strengths = st.builds(
    Strength,
    st.sampled_from(Factors),
    st.sampled_from(Phishing),
    st.sampled_from(Binding),
    st.sampled_from(Proofing),
)
presented = st.builds(
    Presented,
    st.sampled_from(sorted(CATALOGUE)).map(method),
    st.frozensets(st.sampled_from(("phone", "mailbox", "safe")), max_size=2),
)


def at_least(have: Strength, need: Strength) -> bool:
    return (
        have.factors >= need.factors
        and have.phishing >= need.phishing
        and have.binding >= need.binding
        and have.proofing >= need.proofing
    )


@given(strengths, strengths, strengths)
def test_join_and_meet_make_a_distributive_lattice(a: Strength, b: Strength, c: Strength) -> None:
    assert a.join(b.join(c)) == a.join(b).join(c)
    assert a.meet(b.meet(c)) == a.meet(b).meet(c)
    assert a.join(b) == b.join(a)
    assert a.meet(b) == b.meet(a)
    assert a.join(a.meet(b)) == a == a.meet(a.join(b))
    assert a.join(a) == a == a.meet(a)
    assert a.meet(b.join(c)) == a.meet(b).join(a.meet(c))
    assert a.join(b.meet(c)) == a.join(b).meet(a.join(c))


@given(strengths, strengths)
def test_join_is_the_least_above_both_and_meet_the_greatest_below(a: Strength, b: Strength) -> None:
    assert at_least(a.join(b), a)
    assert at_least(a, a.meet(b))
    assert (a.join(b) == a) == at_least(a, b) == (a.meet(b) == b)


@given(strengths, strengths)
def test_nothing_falls_short_just_where_every_component_reaches(a: Strength, b: Strength) -> None:
    assert (a.shortfall(b) == ()) == at_least(a, b)


@given(strengths)
def test_nothing_is_weaker_than_the_weakest(a: Strength) -> None:
    assert a.shortfall(WEAKEST) == ()
    assert a.join(WEAKEST) == a
    assert a.meet(WEAKEST) == WEAKEST


def test_a_shortfall_names_the_component_and_both_values() -> None:
    assert AAL1.shortfall(AAL3) == (
        "factors one < two",
        "phishing typed < phishing-resistant",
        "binding bearer < non-exportable",
    )
    assert AAL2.shortfall(AAL1) == AAL3.shortfall(AAL2) == ()


def test_an_unknown_method_is_the_weakest() -> None:
    one = Presented(method("carrier-pigeon"))
    assert strength_together([one], Proofing.IAL3) == WEAKEST
    assert strength_together([], Proofing.IAL3) == WEAKEST


def test_a_method_by_another_spelling_is_an_unknown_method() -> None:
    for alias in ("Passkey-Device-Bound", " password", "password ", "pass\u200bword", ""):
        assert strength_together([Presented(method(alias))], Proofing.IAL3) == WEAKEST


def together(*names: str, roots: frozenset[str] = frozenset()) -> Strength:
    return strength_together((Presented(method(n), roots) for n in names), Proofing.NONE)


def test_two_factors_of_different_kind_are_two() -> None:
    assert together("password", "totp").factors is Factors.TWO


def test_two_factors_of_one_kind_count_once() -> None:
    assert together("totp", "sms-code").factors is Factors.ONE


def test_two_factors_on_one_phone_count_once() -> None:
    phone = frozenset({"phone"})
    assert together("password", "totp", roots=phone).factors is Factors.ONE


def test_a_root_shared_in_a_chain_is_one_root() -> None:
    chain = (
        Presented(method("password"), frozenset({"phone"})),
        Presented(method("totp"), frozenset({"mailbox"})),
        Presented(method("email-code"), frozenset({"phone", "mailbox"})),
    )
    for order in permutations(chain):
        assert strength_together(order, Proofing.NONE).factors is Factors.ONE


@given(st.lists(presented, max_size=4), st.sampled_from(Proofing))
def test_sharing_a_root_never_makes_stronger(
    given_ones: list[Presented], carried: Proofing
) -> None:
    apart = strength_together((Presented(one.method) for one in given_ones), carried)
    shared = [Presented(one.method, frozenset({"phone"})) for one in given_ones]
    one_root = strength_together(shared, carried)
    as_given = strength_together(given_ones, carried)
    assert at_least(apart, as_given)
    assert at_least(as_given, one_root)
    most = max((min(len(one.method.kinds), 2) for one in given_ones), default=0)
    assert one_root.factors == most


@given(
    st.lists(presented, max_size=4).flatmap(
        lambda ones: st.tuples(st.just(ones), st.permutations(ones))
    )
)
def test_the_order_of_presenting_makes_no_difference(
    orders: tuple[list[Presented], list[Presented]],
) -> None:
    first, second = orders
    assert strength_together(first, Proofing.NONE) == strength_together(second, Proofing.NONE)


def test_every_method_says_its_clause_and_every_fallback_is_made_of_known_methods() -> None:
    assert all(entry.clause and name == entry.name for name, entry in CATALOGUE.items())
    for fallback in FALLBACKS.values():
        assert {fallback.yields, *fallback.presents} <= CATALOGUE.keys()
