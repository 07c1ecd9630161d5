"""States of requests to keep in a store, made without the laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from locum.model.authority import NOTHING
from locum.model.cause import Cause, Evidence
from locum.model.names import Digest, GrantId, IdentityName, PathName, RequestId
from locum.model.request import (
    Ask,
    Closed,
    CloseReason,
    Grant,
    Open,
    Ready,
    Requested,
    Review,
    Reviewed,
    Verdict,
)

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATH = PathName.parse("ci/deploy")
ALICE = IdentityName("alice")


def asked(number: int = 1, path: PathName = PATH, cause: Cause = Cause.OUTAGE) -> Requested:
    return Requested(
        Ask(
            RequestId(f"rq_{number:032x}"),
            path,
            cause,
            "stuck",
            Evidence("INC-1"),
            ALICE,
            "key-alice",
            Digest("sha256:" + "0" * 64),
            NOW,
            NOW + HOUR,
        )
    )


def ready(number: int = 1) -> Ready:
    return Ready(asked(number).ask, ())


def opened(number: int = 1, path: PathName = PATH, cause: Cause = Cause.OUTAGE) -> Open:
    grant = Grant(
        GrantId(f"gr_{number:032x}"), NOTHING, NOW, NOW + 2 * HOUR, 1, "seen", frozenset()
    )
    return Open(asked(number, path, cause).ask, (), grant)


def closed(number: int = 1, *, dead: bool = False, cause: Cause = Cause.OUTAGE) -> Closed:
    was = opened(number, cause=cause)
    return Closed(
        was.ask, (), was.grant, 1, NOW, CloseReason.REVOKED, None, NOW + HOUR, NOW if dead else None
    )


def reviewed(number: int = 1) -> Reviewed:
    return Reviewed(closed(number, dead=True), Review(ALICE, NOW, Verdict.EMERGENCY, "fine"))


def used(state: Open, times: int) -> Open:
    return msgspec.structs.replace(state, used=times)
