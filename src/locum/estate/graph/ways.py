"""The ways in, in columns: what the laws ask of each beyond the graph.

Instants are whole minutes since 1970 in UTC, as int32; two values are no instants.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.inventory import NEVER, Seen

UNSAID, NEVER_SEEN = -(2**31), -(2**31) + 1
"""Nobody says when; it never was (of an end: it does not end)."""
NO_APPROVALS = 127
"""`spare` of a way that needs no approval."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)

ACTIVE, CHECKS_UNSAID, WIDER, REVIEWABLE, PROBED, LIVES_LONG, SIGNS_IN_ELSEWHERE = (
    1, 2, 4, 8, 16, 32, 64,
)  # fmt: skip
"""Flags of a way. `ACTIVE`: it works, until it ends; `CHECKS_UNSAID`: nobody says which conditions
it asks for; `LIVES_LONG`: a secret that works by itself until somebody ends it;
`SIGNS_IN_ELSEWHERE`: an identity provider vouches for it."""


def minutes(at: Seen) -> int:
    """An instant as the columns hold it."""
    if at is None:
        return UNSAID
    if at == NEVER:
        return NEVER_SEEN
    return max(0, min(2**31 - 1, (at - _EPOCH) // _MINUTE))


def day_of(at: int) -> str:
    """A day for people, of an instant of the columns."""
    return (_EPOCH + at * _MINUTE).date().isoformat()


class Ways(msgspec.Struct, frozen=True):
    """Ways in columns, each of length W, in the order of their vertices.

    Args:
        vertex: int32, the way's vertex.
        identity: int32, the vertex of whose it is.
        primary: int32, the row of the identity's primary.
        role: uint8, a `Role`.
        method: uint8, the index of its first method in `methods_in_order`.
        flags: uint8, see above.
        lacks: uint8, how many conditions of its identity it does not ask for.
        spare: int8, approvers beyond those needed, whoever asks; `NO_APPROVALS`.
        asked: int32, the vertex of evidence and approvals together, or -1.
        owned: uint8, somebody answers for it.
        review_within: int32, minutes after a use until its review is overdue.
        drill_days: int16, the longest time between drills; 0 for none.
        created, ends, used, drilled, reviewed: int32, minutes.
        waived: int32, minutes, until when somebody accepts that it is weaker.
    """

    vertex: NDArray[np.int32]
    identity: NDArray[np.int32]
    primary: NDArray[np.int32]
    role: NDArray[np.uint8]
    method: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    lacks: NDArray[np.uint8]
    spare: NDArray[np.int8]
    asked: NDArray[np.int32]
    owned: NDArray[np.uint8]
    review_within: NDArray[np.int32]
    drill_days: NDArray[np.int16]
    created: NDArray[np.int32]
    ends: NDArray[np.int32]
    used: NDArray[np.int32]
    drilled: NDArray[np.int32]
    reviewed: NDArray[np.int32]
    waived: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.vertex)
