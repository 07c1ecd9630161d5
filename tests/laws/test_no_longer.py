"""Law 3: a path has an end, a grant a hard end and a use limit."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from locum.laws.no_longer import LONGEST_GRANT, bounds, hard_end, not_ended, still_valid
from locum.model.authority import NOTHING
from locum.model.names import GrantId
from locum.model.path import Limits
from locum.model.refusal import Law
from locum.model.request import Grant
from tests.laws.declared import HOUR, NOW, PATH, UNTIL, path
from tests.laws.refused import refused_by

TICK = timedelta(microseconds=1)
GRANT = Grant(GrantId("g-1"), NOTHING, NOW, NOW + HOUR, 2, "probe fails", frozenset())
spans = st.timedeltas(min_value=TICK, max_value=timedelta(days=400))


def test_a_grant_that_could_live_for_days_is_not_declared() -> None:
    assert bounds(path(limits=Limits(ttl=LONGEST_GRANT))) == ()
    refused_by(Law.NO_LONGER, bounds(path(limits=Limits(ttl=LONGEST_GRANT + TICK))), "limits.ttl")


def test_a_credential_does_not_outlive_its_window() -> None:
    outlives = path(limits=Limits(ttl=HOUR, window=HOUR / 2))
    refused_by(Law.NO_LONGER, bounds(outlives), "`limits.ttl` is 1h, the path's window is 30m")
    assert bounds(path(limits=Limits(ttl=HOUR / 2, window=HOUR / 2))) == ()


def test_a_path_does_not_open_from_the_instant_of_its_end() -> None:
    assert not_ended(PATH, UNTIL - TICK) == ()
    refused_by(Law.NO_LONGER, not_ended(PATH, UNTIL))
    refused_by(Law.NO_LONGER, not_ended(PATH, UNTIL + HOUR))


def test_a_grant_ends_after_its_ttl() -> None:
    assert hard_end(PATH, NOW) == NOW + PATH.limits.ttl


def test_the_paths_own_end_cuts_a_grant_short() -> None:
    assert hard_end(PATH, UNTIL - TICK) == UNTIL


def test_nothing_is_valid_from_its_end_on() -> None:
    assert still_valid(GRANT, 0, GRANT.ends_at - TICK) == ()
    refused_by(Law.NO_LONGER, still_valid(GRANT, 0, GRANT.ends_at), "ended")
    refused_by(Law.NO_LONGER, still_valid(GRANT, 0, GRANT.ends_at + HOUR), "ended")


def test_a_credential_is_taken_no_more_often_than_the_limit_says() -> None:
    assert still_valid(GRANT, 1, NOW) == ()
    refused_by(Law.NO_LONGER, still_valid(GRANT, 2, NOW), "2 of 2 times")
    refused_by(Law.NO_LONGER, still_valid(GRANT, 3, NOW))


@given(ttl=spans, left=spans, later=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_no_end_is_later_than_the_ttl_or_the_path_allows(
    ttl: timedelta, left: timedelta, later: timedelta
) -> None:
    declared = path(limits=Limits(ttl=ttl), until=NOW + left)
    end = hard_end(declared, NOW)
    assert NOW < end <= min(NOW + ttl, NOW + left)
    grant = Grant(GrantId("g-1"), NOTHING, NOW, end, 1, "probe fails", frozenset())
    assert bool(still_valid(grant, 0, NOW + later)) == (NOW + later >= end)


@given(uses=st.integers(0, 5), used=st.integers(0, 8))
def test_uses_count_down_to_none(uses: int, used: int) -> None:
    grant = Grant(GrantId("g-1"), NOTHING, NOW, NOW + HOUR, uses, "probe fails", frozenset())
    assert (still_valid(grant, used, NOW) == ()) == (used < uses)
