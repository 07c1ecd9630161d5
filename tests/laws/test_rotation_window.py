"""Windows of planned rotations: announced ahead, no longer than declared, shut outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from locum.laws.rotation_window import AHEAD, announced, open_now, scheduled_window
from locum.model.cause import Window
from locum.model.path import Limits, RotationSchedule
from tests.laws.declared import NOW, PATH

SPAN = st.timedeltas(timedelta(seconds=1), timedelta(days=400))
START, END = datetime(2020, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
INSTANT = st.datetimes(START, END, timezones=st.just(UTC))
MINUTE = timedelta(minutes=1)


def path(window: timedelta, first: datetime = NOW, every: timedelta | None = None):  # type: ignore[no-untyped-def]
    return msgspec.structs.replace(
        PATH,
        limits=Limits(ttl=window, window=window),
        rotation=None if every is None else RotationSchedule(first, every),
    )


@given(INSTANT, INSTANT, SPAN, SPAN)
def test_the_scheduled_window_is_the_first_that_has_not_ended(
    first: datetime, now: datetime, longest: timedelta, gap: timedelta
) -> None:
    every = longest + gap
    found = scheduled_window(path(longest, first, every), now)
    assert found is not None
    assert (found.opens - first) % every == timedelta(0)
    assert found.opens >= first
    assert found.until - found.opens == longest
    assert now < found.until
    before = found.opens - every
    assert before < first or before + longest <= now


@given(INSTANT, SPAN, SPAN)
def test_it_opens_exactly_inside_its_window(
    opens: datetime, lasts: timedelta, until: timedelta
) -> None:
    window = Window(opens, opens + lasts)
    assert open_now(window, opens) == ()
    assert open_now(window, window.until - timedelta(microseconds=1)) == ()
    for outside in (opens - until, window.until, window.until + until):
        [breach] = open_now(window, outside)
        assert window.opens.isoformat() in breach.fact or window.until.isoformat() in breach.fact
    assert open_now(None, opens) != ()


@given(SPAN, SPAN, st.timedeltas(-AHEAD, AHEAD))
def test_what_may_be_announced_is_short_enough_and_to_come(
    allowed: timedelta, lasts: timedelta, begins: timedelta
) -> None:
    window = Window(NOW + begins, NOW + begins + lasts)
    lawful = lasts <= allowed and window.until > NOW
    assert (announced(path(allowed), window, NOW) == ()) == lawful


def test_odd_windows_are_refused_each_with_its_reason() -> None:
    half = 30 * MINUTE
    for window, saying in (
        (None, "declares no schedule"),
        (Window(NOW + half, NOW + MINUTE), "ends before it opens"),
        (Window(NOW - half, NOW), "The window ended at"),
        (Window(NOW, NOW + half + timedelta(seconds=1)), "30 min 1 s long; the path allows 30 min"),
        (Window(NOW + AHEAD + MINUTE, NOW + AHEAD + half), "more than 31 days ahead"),
    ):
        facts = " ".join(breach.fact for breach in announced(path(half), window, NOW))
        assert saying in facts, saying
    assert scheduled_window(path(half), NOW) is None
