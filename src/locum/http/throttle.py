"""Throttles: how often one source or one key may call (design §10, a flood).

A token bucket per subject, in this process; single use and lockouts do not rest on it.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import datetime

from locum.model.refusal import TooMany

_SUBJECTS = 65_536


class Throttle:
    """Let each subject call `rate` times a second, and `burst` times at once.

    Args:
        rate: calls per second, sustained.
        burst: calls at once after a rest.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, subject: str, now: datetime) -> None:
        """Count one call.

        Raises:
            TooMany: the subject called too often; says after how many seconds to try again.
        """
        at = now.timestamp()
        left, last = self._buckets.pop(subject, (self._burst, at))
        left = min(self._burst, left + max(at - last, 0.0) * self._rate)
        allowed = left >= 1
        self._buckets[subject] = (left - 1 if allowed else left, at)
        if len(self._buckets) > _SUBJECTS:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = math.ceil((1 - left) / self._rate)
            raise TooMany("Too many calls.", f"Try again in {wait} s.", wait)
