"""The life cycle is one table; whatever is not in it changes nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TypeVar, get_args

import msgspec
import pytest

from locum.laws.life_cycle import (
    TABLE,
    Activate,
    Approve,
    Close,
    Command,
    Deny,
    Elapse,
    Judge,
    Moved,
    Settle,
    Take,
    Withdraw,
    ask,
    transition,
)
from locum.laws.opening import Past, decide_approval, decide_ask, decide_opening, decide_review
from locum.laws.permits import MayApprove, MayAsk, MayOpen, MayReview, Refusal
from locum.model.authority import NOTHING
from locum.model.cause import Cause
from locum.model.names import Digest, GrantId
from locum.model.refusal import TransitionNotAllowed
from locum.model.request import (
    Closed,
    CloseReason,
    Grant,
    Lapsed,
    Open,
    Ready,
    Refused,
    Requested,
    Review,
    Reviewed,
    State,
    Verdict,
)
from tests.laws.declared import (
    ANN,
    ASK,
    BOB,
    CAROL,
    DAN,
    ESTATE,
    EVE,
    FACTS,
    HOUR,
    IDENTITY,
    NOW,
    OLD_KEY,
    PATH,
    UNTIL,
    approval,
)

YESES = (approval(BOB), approval(CAROL))
GRANT = Grant(GrantId("g-1"), NOTHING, NOW, NOW + HOUR / 3, 2, "probe fails", frozenset())
CLOSED = Closed(ASK, YESES, GRANT, 1, NOW, CloseReason.CUTOVER, ANN, NOW + HOUR)
STATES: tuple[State, ...] = (
    Requested(ASK),
    Ready(ASK, YESES),
    Refused(ASK, (), CAROL, NOW, "no"),
    Lapsed(ASK, (), NOW + HOUR),
    Open(ASK, YESES, GRANT),
    CLOSED,
    Reviewed(CLOSED, Review(EVE, NOW, Verdict.EMERGENCY, "as it should")),
)


Permit = TypeVar("Permit", MayAsk, MayApprove, MayOpen, MayReview)


def allowed(answer: Permit | Refusal) -> Permit:
    assert not isinstance(answer, Refusal), answer.breaches
    return answer


MAY_DECIDE = allowed(decide_approval(PATH, ASK, (), CAROL, ASK.digest(), ESTATE, NOW, OLD_KEY))
MAY_OPEN = allowed(decide_opening(PATH, IDENTITY, ASK, YESES, ANN, ESTATE, Past(), FACTS, NOW))
MAY_REVIEW = allowed(decide_review(PATH, ASK, YESES, EVE, Verdict.EMERGENCY, ESTATE, OLD_KEY, NOW))
COMMANDS: tuple[Command, ...] = (
    Approve(MAY_DECIDE),
    Deny(MAY_DECIDE),
    Withdraw(ANN),
    Activate(MAY_OPEN, GrantId("g-1")),
    Take(ANN),
    Close(CloseReason.REVOKED, ANN, NOW + HOUR),
    Elapse(NOW + HOUR),
    Settle(),
    Judge(MAY_REVIEW, "as it should"),
)
PAIRS = list(product(STATES, COMMANDS))
FORBIDDEN = [pair for pair in PAIRS if (type(pair[0]), type(pair[1])) not in TABLE]


def named(value: object) -> str:
    return type(value).__name__


def test_every_state_and_every_command_is_tried() -> None:
    assert {type(state) for state in STATES} == set(get_args(State))
    assert {type(command) for command in COMMANDS} == set(get_args(Command))
    assert len(FORBIDDEN) == len(PAIRS) - len(TABLE)


def test_the_table_has_just_the_steps_of_the_design() -> None:
    drawn = {
        "Requested": {"Approve", "Deny", "Withdraw", "Elapse"},
        "Ready": {"Deny", "Withdraw", "Elapse", "Activate"},
        "Open": {"Take", "Close", "Elapse"},
        "Closed": {"Settle", "Judge"},
        "Reviewed": {"Settle"},
    }
    assert {(s.__name__, c.__name__) for s, c in TABLE} == {
        (state, command) for state, commands in drawn.items() for command in commands
    }


@pytest.mark.parametrize(("state", "command"), FORBIDDEN, ids=named)
def test_a_step_that_is_not_in_the_table_changes_nothing(state: State, command: Command) -> None:
    before = msgspec.json.encode(state)
    with pytest.raises(TransitionNotAllowed) as said:
        transition(state, command, NOW)
    assert said.value.fact
    assert said.value.remedy
    assert msgspec.json.encode(state) == before


def moved(state: State, command: Command, after: timedelta = timedelta(0)) -> State:
    answer = transition(state, command, NOW + after)
    assert isinstance(answer, Moved), answer
    return answer.state


def test_a_whole_life_from_asking_to_review() -> None:
    permit = decide_ask(PATH, IDENTITY, ANN, Cause.OUTAGE, ESTATE, Past(), NOW)
    assert isinstance(permit, MayAsk)
    state: State = ask(permit, ASK, need=2).state
    for by in (BOB, CAROL):
        assert isinstance(state, Requested)
        yes = decide_approval(PATH, ASK, state.approvals, by, ASK.digest(), ESTATE, NOW, OLD_KEY)
        assert isinstance(yes, MayApprove)
        state = moved(state, Approve(yes))
    assert isinstance(state, Ready)
    may = decide_opening(PATH, IDENTITY, ASK, state.approvals, ANN, ESTATE, Past(), FACTS, NOW)
    assert isinstance(may, MayOpen)
    state = moved(state, Activate(may, GrantId("g-1")))
    state = moved(state, Take(ANN))
    state = moved(state, Close(CloseReason.RESTORED, None, NOW + HOUR))
    state = moved(state, Settle())
    judged = decide_review(PATH, ASK, YESES, EVE, Verdict.EMERGENCY, ESTATE, OLD_KEY, NOW)
    assert isinstance(judged, MayReview)
    assert isinstance(moved(state, Judge(judged, "as it should")), Reviewed)


def test_one_approval_of_two_is_not_ready() -> None:
    state = moved(Requested(ASK), Approve(MAY_DECIDE))
    assert state == Requested(ASK, (approval(CAROL),))


def test_a_permit_for_another_request_approves_and_denies_nothing() -> None:
    other = msgspec.structs.replace(MAY_DECIDE, digest=Digest("sha256:" + "1" * 64))
    for command in (Approve(other), Deny(other)):
        with pytest.raises(TransitionNotAllowed):
            transition(Requested(ASK), command, NOW)


def test_a_request_is_not_the_one_allowed_when_its_end_or_declaration_differs() -> None:
    permit = decide_ask(PATH, IDENTITY, ANN, Cause.OUTAGE, ESTATE, Past(), NOW)
    assert isinstance(permit, MayAsk)
    for wrong in (
        msgspec.structs.replace(ASK, lapses_at=ASK.lapses_at + HOUR),
        msgspec.structs.replace(ASK, declaration=Digest("sha256:" + "1" * 64)),
    ):
        with pytest.raises(TransitionNotAllowed):
            ask(permit, wrong, need=2)


def test_only_the_requester_withdraws_and_only_the_requester_takes() -> None:
    for state, command in ((Requested(ASK), Withdraw(BOB)), (Open(ASK, YESES, GRANT), Take(BOB))):
        with pytest.raises(TransitionNotAllowed):
            transition(state, command, NOW)


def test_nothing_is_approved_or_opened_from_the_instant_it_lapses() -> None:
    for state, command in (
        (Requested(ASK), Approve(MAY_DECIDE)),
        (Ready(ASK, YESES), Activate(MAY_OPEN, GrantId("g-1"))),
    ):
        with pytest.raises(TransitionNotAllowed):
            transition(state, command, ASK.lapses_at)


def test_time_ends_nothing_before_its_time() -> None:
    tick = timedelta(microseconds=1)
    for state, end in ((Requested(ASK), ASK.lapses_at), (Open(ASK, YESES, GRANT), GRANT.ends_at)):
        with pytest.raises(TransitionNotAllowed):
            transition(state, Elapse(end), end - tick)
        assert isinstance(transition(state, Elapse(end), end), Moved)


def test_a_credential_is_not_taken_from_its_end_on_nor_too_often() -> None:
    assert isinstance(transition(Open(ASK, YESES, GRANT), Take(ANN), GRANT.ends_at), Refusal)
    assert isinstance(transition(Open(ASK, YESES, GRANT, used=2), Take(ANN), NOW), Refusal)


def test_a_grant_carries_the_bounds_of_its_permit() -> None:
    state = moved(Ready(ASK, YESES), Activate(MAY_OPEN, GrantId("g-1")))
    assert isinstance(state, Open)
    assert state.grant.ends_at == MAY_OPEN.ends_at <= min(NOW + PATH.limits.ttl, UNTIL)
    assert (state.grant.uses, state.grant.authority) == (MAY_OPEN.uses, MAY_OPEN.authority)
    assert state.grant.conditions == {"managed-device"}
    assert DAN not in {yes.by for yes in state.approvals}
