"""Law 4: a path opens for a declared cause that holds now, and what is undecided is no cause."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from locum.laws.only_when_shut import (
    FRESH,
    Shut,
    causes_can_be_shown,
    declared_cause,
    front_door_shut,
    restored,
)
from locum.laws.opening import Past, decide_ask, decide_opening
from locum.laws.permits import Refusal
from locum.model.cause import Cause, Evidence, Observation
from locum.model.estate import Identity
from locum.model.path import CloseRule, DrillRule, Path
from locum.model.refusal import Breach, Law
from locum.model.request import Ask
from tests.laws.declared import (
    ANN,
    ASK,
    BOB,
    CAROL,
    DOWN,
    ESTATE,
    FACTS,
    HOUR,
    IDENTITY,
    NOW,
    PATH,
    UP,
    approval,
    ask,
    path,
    person,
)
from tests.laws.refused import refused_by

DAYS = timedelta(days=1)
TICK = timedelta(microseconds=1)
DRILLED = path(drill=DrillRule(every=90 * DAYS, lead=7 * DAYS))
DRILL = ask(DRILLED, cause=Cause.DRILL)


def door(
    seen: Observation | None = None,
    of: Path = PATH,
    asked: Ask = ASK,
    identity: Identity = IDENTITY,
    drilled_days_ago: int | None = None,
) -> Shut | Breach:
    drilled = None if drilled_days_ago is None else NOW - drilled_days_ago * DAYS
    return front_door_shut(of, identity, asked, observation=seen, drilled_at=drilled, now=NOW)


def still_closed(answer: Shut | Breach, saying: str = "") -> None:
    assert isinstance(answer, Breach), f"expected to be refused, and shut by: {answer}"
    refused_by(Law.ONLY_WHEN_SHUT, (answer,), saying)


def test_an_outage_is_shown_by_a_probe_that_fails_now() -> None:
    assert door(DOWN) == Shut("probe fails: connection refused")


def test_a_primary_that_is_up_keeps_the_path_closed() -> None:
    still_closed(door(UP), "up")


def test_a_probe_that_was_not_run_decides_nothing() -> None:
    still_closed(door(None), "undecided")


def test_what_a_probe_saw_too_long_ago_decides_nothing() -> None:
    still_closed(door(msgspec.structs.replace(DOWN, at=NOW - FRESH - TICK)), "undecided")
    assert isinstance(door(msgspec.structs.replace(DOWN, at=NOW - FRESH)), Shut)


def test_what_a_probe_will_have_seen_decides_nothing() -> None:
    still_closed(door(msgspec.structs.replace(DOWN, at=NOW + TICK)), "undecided")


def test_an_incident_does_not_outvote_a_probe_that_says_the_primary_is_up() -> None:
    asked = ask(evidence=Evidence(incident="INC-2041"))
    still_closed(door(UP, asked=asked))
    still_closed(door(None, asked=asked))


def test_without_a_probe_the_approvers_confirm_an_incident() -> None:
    blind = path(probe=None)
    named = ask(blind, evidence=Evidence(incident="INC-2041"))
    assert door(None, blind, named) == Shut("incident INC-2041, confirmed by the approvers")
    still_closed(door(None, blind, ask(blind)), "no incident")
    still_closed(door(None, blind, ask(blind, evidence=Evidence(incident=""))))


def test_an_incident_that_nobody_confirms_shows_nothing() -> None:
    alone = path(probe=None, approvals=None)
    still_closed(door(None, alone, ask(alone, evidence=Evidence(incident="INC-2041"))))


def test_a_first_drill_is_always_due() -> None:
    assert isinstance(door(None, DRILLED, DRILL), Shut)


def test_a_drill_opens_from_its_lead_before_the_day_on() -> None:
    still_closed(door(None, DRILLED, DRILL, drilled_days_ago=82), "next is due")
    assert isinstance(door(None, DRILLED, DRILL, drilled_days_ago=83), Shut)


def test_a_path_without_a_schedule_is_not_drilled() -> None:
    still_closed(door(None, PATH, ask(cause=Cause.DRILL)))


def test_a_loss_is_reported_by_the_person_who_lost() -> None:
    lost = ask(cause=Cause.LOST)
    assert isinstance(door(asked=lost, identity=person(ANN)), Shut)
    still_closed(door(asked=lost, identity=person(BOB)))
    still_closed(door(asked=lost, identity=IDENTITY))


def test_a_cause_that_nothing_can_show_is_refused() -> None:
    still_closed(door(DOWN, asked=ask(cause=Cause.LAPSED)), "lapsed")


def test_a_rotation_without_an_announced_window_is_refused() -> None:
    still_closed(door(DOWN, asked=ask(cause=Cause.PLANNED_ROTATION)), "no window")


def test_a_cause_that_is_not_declared_is_not_asked_for() -> None:
    assert declared_cause(PATH, IDENTITY, Cause.OUTAGE) == ()
    refused_by(Law.ONLY_WHEN_SHUT, declared_cause(PATH, IDENTITY, Cause.LOST), "lost")


def test_a_disabled_identity_forbids_every_path_for_every_cause() -> None:
    disabled = msgspec.structs.replace(IDENTITY, disabled=True)
    for cause in Cause:
        refused_by(Law.ONLY_WHEN_SHUT, declared_cause(DRILLED, disabled, cause), "disabled")
    asked = decide_ask(PATH, disabled, ANN, Cause.OUTAGE, ESTATE, Past(), NOW)
    yes = (approval(BOB), approval(CAROL))
    opened = decide_opening(PATH, disabled, ASK, yes, ANN, ESTATE, Past(), FACTS, NOW)
    for answer in (asked, opened):
        assert isinstance(answer, Refusal)
        refused_by(Law.ONLY_WHEN_SHUT, answer, "disabled")


def test_each_declared_cause_has_something_that_can_show_it() -> None:
    assert causes_can_be_shown(PATH) == ()
    for blind in (
        path(probe=None, approvals=None),
        path(causes=frozenset({Cause.DRILL})),
        path(probe=None, closes=frozenset({CloseRule.RESTORED})),
    ):
        refused_by(Law.ONLY_WHEN_SHUT, causes_can_be_shown(blind))


def test_an_open_grant_closes_when_the_primary_is_seen_to_be_back() -> None:
    closing = path(closes=frozenset({CloseRule.RESTORED}))
    assert restored(closing, Cause.OUTAGE, UP, NOW)
    assert not restored(closing, Cause.OUTAGE, DOWN, NOW)
    assert not restored(closing, Cause.OUTAGE, None, NOW)
    assert not restored(closing, Cause.OUTAGE, UP, NOW + HOUR)
    assert not restored(closing, Cause.DRILL, UP, NOW)
    assert not restored(PATH, Cause.OUTAGE, UP, NOW)


@given(up=st.booleans(), age=st.timedeltas(-FRESH * 3, FRESH * 3))
def test_only_a_fresh_failure_shows_an_outage(up: bool, age: timedelta) -> None:
    answer = door(Observation(up=up, at=NOW - age, detail="seen"))
    assert isinstance(answer, Shut) == (not up and timedelta(0) <= age <= FRESH)
    if isinstance(answer, Breach):
        still_closed(answer)
