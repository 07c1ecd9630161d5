"""Law 5: while a review is missing, or a credential not seen dead, the path is blocked."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from locum.laws.never_unseen import drilled_in_time, not_blocked, review_due
from locum.laws.opening import Past, decide_ask, decide_opening
from locum.laws.permits import MayAsk, MayOpen, Refusal
from locum.model.cause import Cause
from locum.model.path import Blocks, DrillRule, Path
from locum.model.refusal import Law
from tests.laws.declared import (
    ANN,
    BOB,
    CAROL,
    ESTATE,
    FACTS,
    IDENTITY,
    NOW,
    PATH,
    approval,
    ask,
    path,
)
from tests.laws.refused import refused_by

DAYS = timedelta(days=1)
STRICT = path(review=msgspec.structs.replace(PATH.review, blocks=Blocks.WHEN_DUE))
DUE, LATE, ALIVE = (
    Past(due=("g-1",)),
    Past(due=("g-1",), overdue=("g-1",)),
    Past(unsettled=("g-1",)),
)


def answers(of: Path, past: Past) -> tuple[object, object]:
    """What asking and opening say, with this past."""
    asked = ask(of)
    yes = (approval(BOB, asked), approval(CAROL, asked))
    return (
        decide_ask(of, IDENTITY, ANN, Cause.OUTAGE, ESTATE, past, NOW),
        decide_opening(of, IDENTITY, asked, yes, ANN, ESTATE, past, FACTS, NOW),
    )


@pytest.mark.parametrize(
    ("declared", "past"),
    [(PATH, LATE), (STRICT, DUE), (STRICT, LATE), (PATH, ALIVE), (STRICT, ALIVE)],
    ids=["overdue", "due, where due blocks", "overdue, where due blocks", "alive", "alive, strict"],
)
def test_a_blocked_path_is_neither_asked_for_nor_opened(declared: Path, past: Past) -> None:
    for answer in answers(declared, past):
        assert isinstance(answer, Refusal)
        refused_by(Law.NEVER_UNSEEN, answer, "g-1")


def test_a_review_that_is_due_blocks_only_where_the_declaration_says_so() -> None:
    asked, opened = answers(PATH, DUE)
    assert isinstance(asked, MayAsk)
    assert isinstance(opened, MayOpen)


def test_a_path_with_nothing_left_to_see_is_free() -> None:
    assert not_blocked(STRICT, due=(), overdue=(), unsettled=()) == ()


def test_each_grant_in_the_way_is_named() -> None:
    broken = not_blocked(STRICT, due=("g-1", "g-2"), overdue=("g-2",), unsettled=("g-3",))
    refused_by(Law.NEVER_UNSEEN, broken)
    facts = [one.fact for one in broken]
    assert "g-1 is due" in facts[0]
    assert "g-2 is overdue" in facts[1]
    assert "g-3 is not yet seen dead" in facts[2]


def test_a_review_is_overdue_from_its_time_after_the_close() -> None:
    assert review_due(PATH, NOW) == NOW + PATH.review.within


def test_a_path_that_is_never_rehearsed_is_found() -> None:
    drilled = path(drill=DrillRule(every=90 * DAYS, lead=7 * DAYS))
    refused_by(Law.NEVER_UNSEEN, drilled_in_time(drilled, None, NOW), "never drilled")
    refused_by(Law.NEVER_UNSEEN, drilled_in_time(drilled, NOW - 90 * DAYS, NOW), "last drilled")
    assert drilled_in_time(drilled, NOW - 89 * DAYS, NOW) == ()
    assert drilled_in_time(PATH, None, NOW) == ()
