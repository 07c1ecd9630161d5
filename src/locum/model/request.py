"""A request and what it becomes: the states of the life of a fallback, as a sum type.

Requested → Ready → Open → Closed → Reviewed, or Refused, or Lapsed (design §6). A state holds
all that led to it, so a later one cannot exist without the earlier. A grant is a request that was
opened; its end is fixed in it.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

import msgspec

from locum.model.authority import Authority
from locum.model.cause import Cause, Evidence
from locum.model.digest import digest
from locum.model.names import Digest, GrantId, IdentityName, PathName, RequestId
from locum.model.trust import KnownBy


class Ask(msgspec.Struct, frozen=True, tag="locum.ask/1", tag_field="kind"):
    """Exactly what is asked; an approval binds the digest of this value.

    Args:
        declaration: the digest of the path's declaration at the time of asking.
        key: the thumbprint (RFC 7638) of the requester's key.
        lapses_at: until when it may be approved and opened.
    """

    id: RequestId
    path: PathName
    cause: Cause
    reason: str
    evidence: Evidence
    requester: IdentityName
    key: str
    declaration: Digest
    asked_at: datetime
    lapses_at: datetime

    def digest(self) -> Digest:
        """What an approver approves."""
        return digest(self)


class ActingKey(msgspec.Struct, frozen=True):
    """What is known of the key that somebody acts with.

    Args:
        invited_by: the administrator who invited it and, where that one's own key was young then,
            those who had invited that; empty for a key that the operator made room for.
    """

    registered_at: datetime
    invited_by: frozenset[IdentityName] = frozenset()


class Approval(msgspec.Struct, frozen=True):
    """One person's yes to one digest.

    Args:
        key: what it was given with; unset in one that an earlier version kept.
    """

    by: IdentityName
    at: datetime
    digest: Digest
    comment: str = ""
    key: ActingKey | msgspec.UnsetType = msgspec.UNSET


class Replaced(msgspec.Struct, frozen=True):
    """The primary certificate that a rotation replaces, as it was presented at opening.

    Args:
        known_by: the pin that it fitted.
        authorities: those of its bundle then (`CertificateTrust.authorities`).
    """

    fingerprint: str
    serial: str
    not_before: datetime
    known_by: KnownBy | None = None
    authorities: frozenset[str] = frozenset()


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """An opened path: authority, hard end, use limit.

    Args:
        ends_at: the hard end; nothing is valid from this instant on.
        proof: which fact showed that the front door is shut, in words (law 4).
        conditions: what must keep holding while it is open (law 7).
        holder: who opened it and takes its credential; empty means the requester.
        replaces: the primary certificate in use at opening; `None` where the primary is none.
    """

    id: GrantId
    authority: Authority
    opened_at: datetime
    ends_at: datetime
    uses: int
    proof: str
    conditions: frozenset[str]
    holder: IdentityName | Literal[""] = ""
    replaces: Replaced | None = None


class CloseReason(Enum):
    """Why a grant ended."""

    EXPIRED = "expired"
    CUTOVER = "cutover"
    RESTORED = "restored"
    USED_UP = "used-up"
    REVOKED = "revoked"
    LEAKED = "leaked"
    SIGNAL = "signal"
    FAILED = "failed"


class Verdict(Enum):
    """What a review says the grant was."""

    DRILL = "drill"
    EMERGENCY = "emergency"
    MISUSE = "misuse"


class Review(msgspec.Struct, frozen=True):
    """The judgement afterwards."""

    by: IdentityName
    at: datetime
    verdict: Verdict
    comment: str


class Requested(msgspec.Struct, frozen=True, tag="requested", tag_field="state"):
    """Asked, and waiting for approvals."""

    ask: Ask
    approvals: tuple[Approval, ...] = ()


class Ready(msgspec.Struct, frozen=True, tag="ready", tag_field="state"):
    """Approved as often as declared; may be activated until it lapses."""

    ask: Ask
    approvals: tuple[Approval, ...]


class Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="state"):
    """An approver said no."""

    ask: Ask
    approvals: tuple[Approval, ...]
    by: IdentityName
    at: datetime
    comment: str


class Lapsed(msgspec.Struct, frozen=True, tag="lapsed", tag_field="state"):
    """Not opened in time."""

    ask: Ask
    approvals: tuple[Approval, ...]
    at: datetime


class Open(msgspec.Struct, frozen=True, tag="open", tag_field="state"):
    """A grant in force; `used` counts how often its credential was taken."""

    ask: Ask
    approvals: tuple[Approval, ...]
    grant: Grant
    used: int = 0


class Closed(msgspec.Struct, frozen=True, tag="closed", tag_field="state"):
    """Ended, and its review is due.

    Args:
        by: who closed it; `None` when Locum did.
        review_due: from this instant the review is overdue.
        settled_at: when its credential was seen to be dead (rotated, sessions ended); `None`
            while that is still being worked off.
    """

    ask: Ask
    approvals: tuple[Approval, ...]
    grant: Grant
    used: int
    at: datetime
    how: CloseReason
    by: IdentityName | None
    review_due: datetime
    settled_at: datetime | None = None


class Reviewed(msgspec.Struct, frozen=True, tag="reviewed", tag_field="state"):
    """Judged: the end of the story."""

    closed: Closed
    review: Review


State = Requested | Ready | Refused | Lapsed | Open | Closed | Reviewed


def ask_of(state: State) -> Ask:
    """The request that a state grew out of."""
    return state.closed.ask if isinstance(state, Reviewed) else state.ask


def approvals_of(state: State) -> tuple[Approval, ...]:
    """The approvals collected so far."""
    return state.closed.approvals if isinstance(state, Reviewed) else state.approvals


def grant_of(state: State) -> Grant | None:
    """The grant, where the path was opened."""
    match state:
        case Open() | Closed():
            return state.grant
        case Reviewed():
            return state.closed.grant
        case _:
            return None


def settled(state: State) -> bool:
    """Tell whether nothing of the credential is left to kill."""
    match state:
        case Open():
            return False
        case Closed():
            return state.settled_at is not None
        case Reviewed():
            return state.closed.settled_at is not None
        case _:
            return True


def name_of(state: State) -> str:
    """The state's word, as the API and the ledger write it."""
    return str(state.__struct_config__.tag)
