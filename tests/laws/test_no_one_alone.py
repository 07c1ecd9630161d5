"""Law 6: requester, approvers and reviewer are different people, and nobody bypasses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from locum.laws.no_one_alone import (
    enough_approvals,
    enough_people,
    may_ask_for,
    may_decide,
    may_judge,
    who_may_ask,
)
from locum.laws.opening import Past, decide_approval, decide_ask, decide_opening, decide_review
from locum.laws.permits import MayApprove, MayOpen, MayReview, Refusal
from locum.model.cause import Cause
from locum.model.estate import ADMINISTRATORS, Estate
from locum.model.names import Digest, GroupName, IdentityName
from locum.model.path import Approvals, Escalation, Path
from locum.model.refusal import Law
from locum.model.request import Approval, Verdict
from tests.laws.declared import (
    ANN,
    ASK,
    BOARD,
    BOB,
    CAROL,
    DAN,
    ESTATE,
    EVE,
    FACTS,
    GROUPS,
    HOUR,
    IDENTITY,
    LEADS,
    NAME,
    NOW,
    OLD_KEY,
    ORDERS,
    PATH,
    PEOPLE,
    ROOT,
    ZOE,
    approval,
    ask,
    estate,
    path,
    person,
    without,
)
from tests.laws.refused import refused_by

TICK = timedelta(microseconds=1)
YESES = (approval(BOB), approval(CAROL))
RULE = Approvals(of=LEADS, need=2, within=HOUR, escalate=Escalation(BOARD, HOUR / 2))
NOBODY = IdentityName("nobody")


def decide(
    by: IdentityName,
    *,
    given: Sequence[Approval] = (),
    digest: Digest | None = None,
    there: Estate = ESTATE,
    after: timedelta = timedelta(0),
) -> MayApprove | Refusal:
    subject = ASK.digest() if digest is None else digest
    return decide_approval(PATH, ASK, given, by, subject, there, NOW + after, OLD_KEY)


def opening(
    given: Sequence[Approval],
    *,
    of: Path = PATH,
    by: IdentityName = ANN,
    there: Estate = ESTATE,
) -> MayOpen | Refusal:
    asked = msgspec.structs.replace(ASK, declaration=ask(of).declaration)
    return decide_opening(of, IDENTITY, asked, given, by, there, Past(), FACTS, NOW)


def no(answer: object, saying: str = "") -> None:
    assert isinstance(answer, Refusal), f"expected a refusal, got {answer}"
    refused_by(Law.NO_ONE_ALONE, answer, saying)


# approving


def test_one_of_the_approvers_may_approve() -> None:
    assert decide(CAROL) == MayApprove(CAROL, ASK.digest(), 2, OLD_KEY)


def test_the_requester_cannot_approve_not_even_as_an_approver() -> None:
    there = estate(leads={ANN, BOB, CAROL})
    no(decide(ANN, there=there), "made this request")


def test_an_unknown_person_approves_nothing() -> None:
    no(decide(NOBODY))
    no(decide(NOBODY, there=estate(leads={NOBODY, CAROL})))
    no(decide(CAROL, there=without(CAROL)))


def test_a_disabled_person_approves_nothing() -> None:
    identities = {**ESTATE.identities, CAROL: person(CAROL, disabled=True)}
    no(decide(CAROL, there=msgspec.structs.replace(ESTATE, identities=identities)))


def test_a_machine_in_the_group_of_approvers_approves_nothing() -> None:
    no(decide(ORDERS, there=estate(leads={ORDERS, CAROL})))


def test_a_group_that_does_not_exist_has_nobody_to_approve() -> None:
    ghosts = path(approvals=Approvals(of=GroupName("ghosts"), need=1, within=HOUR))
    no(decide_approval(ghosts, ASK, (), CAROL, ASK.digest(), ESTATE, NOW))


def test_an_administrator_has_no_bypass() -> None:
    assert ROOT in ESTATE.members(ADMINISTRATORS)
    no(decide(ROOT))
    no(decide_ask(PATH, IDENTITY, ROOT, Cause.OUTAGE, ESTATE, Past(), NOW))
    no(opening((), by=ROOT))
    no(decide_review(PATH, ASK, YESES, ROOT, Verdict.DRILL, ESTATE, OLD_KEY, NOW))
    no(opening((approval(ROOT), approval(CAROL))), "1 of 2")


def test_an_approver_counts_once() -> None:
    no(decide(CAROL, given=(approval(CAROL),)), "counts once")
    no(opening((approval(CAROL), approval(CAROL))), "1 of 2")


def test_an_approver_in_two_groups_counts_once() -> None:
    assert CAROL in GROUPS[LEADS] & GROUPS[BOARD]
    no(decide(CAROL, given=(approval(CAROL),), after=HOUR / 2), "counts once")
    twice = (approval(CAROL), approval(CAROL, at=NOW + HOUR / 2))
    no(opening(twice), "1 of 2")


def test_an_approval_binds_the_digest_of_exactly_what_is_asked() -> None:
    no(decide(CAROL, digest=Digest("sha256:" + "0" * 64)), "digest")
    no(decide(CAROL, digest=Digest(ASK.digest().upper())))
    for other in (
        ask(reason="something else"),
        ask(key="another key"),
        ask(requester=BOB),
        ask(cause=Cause.LOST),
        ask(lapses_at=ASK.lapses_at + TICK),
        ask(declaration="sha256:" + "0" * 64),
    ):
        no(decide(CAROL, digest=other.digest()), "digest")


def test_the_escalation_group_approves_only_after_its_time() -> None:
    no(decide(ZOE))
    no(decide(ZOE, after=HOUR / 2 - TICK))
    assert isinstance(decide(ZOE, after=HOUR / 2), MayApprove)
    assert isinstance(opening((approval(BOB), approval(ZOE, at=NOW + HOUR / 2))), MayOpen)


def test_an_approval_does_not_survive_its_group_on_an_escalation_that_was_not_due() -> None:
    moved_to_the_board = estate(leads={CAROL, DAN}, board={BOB, ZOE})
    no(opening(YESES, there=moved_to_the_board), "1 of 2")


def test_a_path_without_approvals_has_nothing_to_approve() -> None:
    alone = path(approvals=None)
    no(decide_approval(alone, ask(alone), (), CAROL, ask(alone).digest(), ESTATE, NOW))


# opening


def test_two_leads_open_what_two_leads_must_approve() -> None:
    assert isinstance(opening(YESES), MayOpen)


def test_zero_approvals_never_open_whatever_the_declaration_says() -> None:
    no(opening(()), "0 of 2")
    for need in (0, -1):
        no(opening((), of=path(approvals=msgspec.structs.replace(RULE, need=need))), "0 of 1")


def test_a_person_removed_from_the_group_after_approving_no_longer_counts() -> None:
    no(opening(YESES, there=estate(leads={CAROL, DAN})), "1 of 2")


def test_a_person_disabled_or_gone_after_approving_no_longer_counts() -> None:
    identities = {**ESTATE.identities, BOB: person(BOB, disabled=True)}
    no(opening(YESES, there=msgspec.structs.replace(ESTATE, identities=identities)), "1 of 2")
    no(opening(YESES, there=without(BOB)), "1 of 2")


def test_an_approval_of_another_digest_does_not_count() -> None:
    no(opening((approval(BOB), approval(CAROL, ask(reason="something else")))), "1 of 2")


def test_the_requesters_own_approval_does_not_count() -> None:
    no(opening((approval(ANN), approval(CAROL)), there=estate(leads={ANN, CAROL})), "1 of 2")


def test_only_the_one_who_asked_opens() -> None:
    no(opening(YESES, by=BOB), "ann asked for this")


def test_a_requester_who_left_the_group_does_not_open() -> None:
    no(opening(YESES, there=estate(on_call={BOB})), "not among those who may ask")


def test_a_declaration_that_changed_after_the_request_does_not_open() -> None:
    longer = path(reason="another reason")
    answer = decide_opening(longer, IDENTITY, ASK, YESES, ANN, ESTATE, Past(), FACTS, NOW)
    no(answer, "changed after the request")


# asking


def test_only_those_who_may_ask_ask() -> None:
    assert may_ask_for(PATH, IDENTITY, ANN, ESTATE) == ()
    for who in (CAROL, NOBODY, ORDERS):
        refused_by(Law.NO_ONE_ALONE, may_ask_for(PATH, IDENTITY, who, ESTATE))
    refused_by(Law.NO_ONE_ALONE, may_ask_for(PATH, IDENTITY, ANN, without(ANN)))


def test_where_nobody_is_named_the_approvers_ask_and_alone_the_identity_itself() -> None:
    assert who_may_ask(path(requesters=None)) == LEADS
    alone = path(requesters=None, approvals=None)
    assert who_may_ask(alone) is None
    assert may_ask_for(alone, IDENTITY, ORDERS, ESTATE) == ()
    refused_by(Law.NO_ONE_ALONE, may_ask_for(alone, IDENTITY, ANN, ESTATE))


# reviewing


def judged_by(by: IdentityName, given: Sequence[Approval] = YESES) -> MayReview | Refusal:
    return decide_review(PATH, ASK, given, by, Verdict.EMERGENCY, ESTATE, OLD_KEY, NOW)


def test_a_third_person_reviews() -> None:
    assert judged_by(EVE) == MayReview(EVE, Verdict.EMERGENCY)


def test_the_reviewer_is_neither_requester_nor_approver() -> None:
    no(judged_by(ANN), "asked for")
    no(judged_by(DAN, (approval(DAN), approval(CAROL))), "approved")
    assert isinstance(judged_by(DAN), MayReview)


def test_somebody_who_is_not_a_reviewer_or_nobody_at_all_reviews_nothing() -> None:
    no(judged_by(ZOE))
    no(judged_by(NOBODY))


# declaring


def test_enough_people_are_declared() -> None:
    assert enough_people(PATH, IDENTITY, ESTATE) == ()


def test_a_declaration_of_zero_approvals_is_refused() -> None:
    for need in (0, -1):
        zero = path(approvals=msgspec.structs.replace(RULE, need=need))
        refused_by(Law.NO_ONE_ALONE, enough_people(zero, IDENTITY, ESTATE), "below 1")


def test_a_path_that_nobody_may_ask_for_is_refused() -> None:
    refused_by(Law.NO_ONE_ALONE, enough_people(PATH, IDENTITY, estate(on_call=set())))


def test_a_path_with_too_few_approvers_besides_the_requester_is_refused() -> None:
    few = estate(leads={BOB, CAROL})
    refused_by(Law.NO_ONE_ALONE, enough_people(PATH, IDENTITY, few), "If bob asks, 1 can approve")


def test_a_path_that_leaves_nobody_to_review_is_refused() -> None:
    refused_by(Law.NO_ONE_ALONE, enough_people(PATH, IDENTITY, estate(security={ANN})), "review")
    taken = estate(leads={BOB, CAROL, DAN}, security={DAN})
    refused_by(Law.NO_ONE_ALONE, enough_people(PATH, IDENTITY, taken), "If bob asks")


# always

everybody = st.sampled_from((*PEOPLE, ORDERS, NOBODY))
anybody = st.frozensets(everybody).map(set)
yeses = st.lists(
    st.builds(
        approval,
        everybody,
        st.sampled_from((ASK, ask(reason="something else"))),
        st.sampled_from((NOW, NOW + HOUR / 2)),
    ),
    max_size=6,
)


@given(given_yes=yeses, leads=anybody, board=anybody, need=st.integers(-1, 4))
def test_nothing_opens_without_enough_different_people(
    given_yes: list[Approval], leads: set[IdentityName], board: set[IdentityName], need: int
) -> None:
    there = estate(leads=leads, board=board)
    declared = path(approvals=msgspec.structs.replace(RULE, need=need))
    broken = enough_approvals(declared, ASK, given_yes, there)
    counted = {
        yes.by
        for yes in given_yes
        if yes.digest == ASK.digest()
        and yes.by in PEOPLE
        and yes.by != ANN
        and (yes.by in leads or (yes.by in board and yes.at > NOW))
    }
    assert (broken == ()) == (len(counted) >= max(need, 1))
    if broken:
        refused_by(Law.NO_ONE_ALONE, broken)


@given(by=everybody, given_yes=yeses, after=st.timedeltas(-HOUR, HOUR))
def test_who_may_decide_would_count(
    by: IdentityName, given_yes: list[Approval], after: timedelta
) -> None:
    broken = may_decide(PATH, ASK, given_yes, by, ASK.digest(), ESTATE, NOW + after)
    if broken:
        refused_by(Law.NO_ONE_ALONE, broken)
        return
    assert by != ANN
    assert by not in {yes.by for yes in given_yes}
    one = path(approvals=msgspec.structs.replace(RULE, need=1))
    assert enough_approvals(one, ASK, [approval(by, at=NOW + after)], ESTATE) == ()


@given(by=everybody, given_yes=yeses)
def test_whoever_reviews_had_no_part_in_it(by: IdentityName, given_yes: list[Approval]) -> None:
    broken = may_judge(PATH, ASK, given_yes, by, ESTATE, OLD_KEY, NOW)
    if broken:
        refused_by(Law.NO_ONE_ALONE, broken)
    else:
        assert by in {EVE, DAN}
        assert by not in {yes.by for yes in given_yes}


def test_the_name_of_the_path_is_in_what_is_said_to_the_one_who_may_not_ask() -> None:
    refused_by(Law.NO_ONE_ALONE, may_ask_for(PATH, IDENTITY, ZOE, ESTATE), str(NAME))
