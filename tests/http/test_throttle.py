"""Throttles: a burst, then a rate, for each subject by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from locum.http.throttle import Throttle
from locum.model.refusal import TooMany
from tests.servers.clock import SteppedClock


def test_a_flood_is_refused_with_when_to_come_back(clock: SteppedClock) -> None:
    throttle = Throttle(rate=2, burst=3)
    for _ in range(3):
        throttle.take("source:one", clock.now())
    with pytest.raises(TooMany) as caught:
        throttle.take("source:one", clock.now())
    assert caught.value.retry_after == 1
    throttle.take("source:two", clock.now())
    clock.advance(timedelta(seconds=0.5))
    throttle.take("source:one", clock.now())
    with pytest.raises(TooMany):
        throttle.take("source:one", clock.now())


def test_a_clock_that_goes_back_gives_no_calls_away(clock: SteppedClock) -> None:
    throttle = Throttle(rate=1, burst=1)
    throttle.take("source:one", clock.now())
    clock.advance(timedelta(hours=-1))
    with pytest.raises(TooMany):
        throttle.take("source:one", clock.now())
