"""Law 6: a young key speaks for whoever invited it, too."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from locum.laws.no_one_alone import OBJECTING, behind, enough_approvals, may_approve_with
from locum.laws.opening import decide_approval, decide_review
from locum.laws.permits import MayApprove, MayReview, Refusal
from locum.model.names import IdentityName
from locum.model.refusal import Law
from locum.model.request import ActingKey, Approval, Verdict
from tests.laws.declared import (
    ANN,
    ASK,
    BOB,
    CAROL,
    DAN,
    ESTATE,
    EVE,
    NOW,
    OLD_KEY,
    PATH,
    ROOT,
    approval,
)
from tests.laws.refused import refused_by

TICK = timedelta(microseconds=1)


def invited(*by: IdentityName, since: datetime = NOW) -> ActingKey:
    return ActingKey(since, frozenset(by))


def approving(
    by: IdentityName, key: ActingKey, given: tuple[Approval, ...] = ()
) -> MayApprove | Refusal:
    return decide_approval(PATH, ASK, given, by, ASK.digest(), ESTATE, NOW, key)


def reviewing(
    key: ActingKey, given: tuple[Approval, ...] = (approval(BOB), approval(CAROL))
) -> MayReview | Refusal:
    return decide_review(PATH, ASK, given, EVE, Verdict.EMERGENCY, ESTATE, key, NOW)


def no(answer: object, saying: str = "") -> None:
    assert isinstance(answer, Refusal), f"expected a refusal, got {answer}"
    refused_by(Law.NO_ONE_ALONE, answer, saying)


def test_a_key_that_the_requester_invited_does_not_approve_for_72_hours() -> None:
    refusal = approving(BOB, invited(ANN))
    no(refusal, "The key of bob was invited by ann, who asks")
    assert isinstance(refusal, Refusal)
    [breach] = refusal.breaches
    assert breach.remedy.startswith("Have somebody else of leads approve; this key counts from ")
    assert (NOW + OBJECTING).isoformat() in breach.remedy


def test_the_key_counts_as_soon_as_it_is_72_hours_old() -> None:
    no(approving(BOB, invited(ANN, since=NOW - OBJECTING + TICK)))
    assert isinstance(approving(BOB, invited(ANN, since=NOW - OBJECTING)), MayApprove)


def test_a_key_that_somebody_else_invited_approves_at_once() -> None:
    assert isinstance(approving(BOB, invited(ROOT)), MayApprove)
    assert isinstance(approving(BOB, invited()), MayApprove), "the operator's first invitation"


def test_one_administrator_who_takes_no_part_may_have_invited_everybody() -> None:
    young = invited(ROOT)
    given_yes = (approval(BOB, key=young), approval(CAROL, key=young))
    assert isinstance(approving(CAROL, young, given_yes[:1]), MayApprove)
    assert enough_approvals(PATH, ASK, given_yes, ESTATE) == ()
    assert isinstance(reviewing(young, given_yes), MayReview)


def test_an_approver_does_not_approve_again_with_a_key_of_his_own_inviting() -> None:
    no(approving(BOB, invited(CAROL), (approval(CAROL),)), "invited by carol, who approved")
    no(approving(CAROL, OLD_KEY, (approval(BOB, key=invited(CAROL)),)), "the two count as one")


def test_an_approval_by_anothers_hand_opens_nothing_even_where_it_was_kept() -> None:
    for hand in (ANN, CAROL):
        given_yes = (approval(BOB, key=invited(hand)), approval(CAROL))
        broken = enough_approvals(PATH, ASK, given_yes, ESTATE)
        refused_by(Law.NO_ONE_ALONE, broken, "1 of 2 approvals are given. That of bob does not")


def test_an_approval_that_names_no_key_does_not_count() -> None:
    nameless = msgspec.structs.replace(approval(BOB), key=msgspec.UNSET)
    broken = enough_approvals(PATH, ASK, (nameless, approval(CAROL)), ESTATE)
    refused_by(Law.NO_ONE_ALONE, broken, "1 of 2")


def test_whoever_stands_behind_the_inviters_young_key_stands_behind_this_one() -> None:
    no(approving(BOB, invited(ROOT, ANN)), "invited by ann")


def test_a_no_may_be_said_with_any_key() -> None:
    permit = decide_approval(PATH, ASK, (), BOB, ASK.digest(), ESTATE, NOW, None)
    assert isinstance(permit, MayApprove)
    assert permit.key is None, "and it allows no yes"


def test_the_reviewers_key_is_not_of_the_requesters_nor_an_approvers_inviting() -> None:
    no(reviewing(invited(ANN)), "invited by ann, who asks")
    no(reviewing(invited(CAROL)), "invited by carol, who approved")
    assert isinstance(reviewing(invited(ANN, since=NOW - OBJECTING)), MayReview)
    assert isinstance(reviewing(invited(DAN)), MayReview)


def test_the_text_of_an_approval_without_a_key_is_what_it_was() -> None:
    old = b'{"by":"bob","at":"2026-03-02T09:00:00Z","digest":"sha256:0","comment":""}'
    kept = msgspec.json.decode(old, type=Approval)
    assert msgspec.json.encode(kept) == old, "what was kept before has the digest that it had"


people = st.sampled_from((ANN, BOB, CAROL, DAN, ROOT))
keys = st.builds(
    ActingKey, st.sampled_from((NOW, NOW - OBJECTING)), st.frozensets(people, max_size=2)
)


@given(st.dictionaries(st.sampled_from((BOB, CAROL, DAN)), keys))
def test_what_is_enough_never_rests_on_the_requester_nor_on_one_approver_twice(
    held: dict[IdentityName, ActingKey],
) -> None:
    given_yes = [approval(by, key=key) for by, key in held.items()]
    if enough_approvals(PATH, ASK, given_yes, ESTATE):
        return
    free = {by for by, key in held.items() if not behind(key, NOW) & ({ANN, *held} - {by})}
    assert len(free) >= 2


@given(st.lists(st.tuples(st.sampled_from((BOB, CAROL, DAN)), keys), max_size=5))
def test_approvals_that_were_let_in_one_by_one_all_count(
    asked: list[tuple[IdentityName, ActingKey]],
) -> None:
    given_yes: tuple[Approval, ...] = ()
    for by, key in asked:
        if isinstance(approving(by, key, given_yes), MayApprove):
            given_yes += (approval(by, key=key),)
    enough = enough_approvals(PATH, ASK, given_yes, ESTATE) == ()
    assert enough == (len(given_yes) >= 2)


def test_may_approve_with_says_nothing_of_an_old_key() -> None:
    assert may_approve_with(PATH, ASK, (), BOB, OLD_KEY, NOW) == ()
