"""The life of a fallback: one table of states and commands.

    requested ──approve──▶ ready ──activate──▶ open ──close──▶ closed ──review──▶ reviewed
        │ deny / elapse       │ deny / elapse    │ take (a use)   │ settle (credential dead)
        ▼                     ▼                  └── elapse ─▶ closed
      refused / lapsed      refused / lapsed

A pair that is not in the table is `TransitionNotAllowed` and changes nothing. What changes state
demands the permit that only the law makes. `now` is an argument; nothing here acts.
Source: design §6.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from locum.laws.no_longer import still_valid
from locum.laws.permits import MayApprove, MayAsk, MayOpen, MayReview, Refusal
from locum.model.names import GrantId, IdentityName
from locum.model.refusal import TransitionNotAllowed
from locum.model.request import (
    Approval,
    Ask,
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
    name_of,
)


class Approve(msgspec.Struct, frozen=True):
    """One approver says yes."""

    permit: MayApprove
    comment: str = ""


class Deny(msgspec.Struct, frozen=True):
    """One approver says no, which ends the request."""

    permit: MayApprove
    comment: str = ""


class Withdraw(msgspec.Struct, frozen=True):
    """The requester takes the request back."""

    by: IdentityName
    comment: str = ""


class Activate(msgspec.Struct, frozen=True):
    """The requester opens the path."""

    permit: MayOpen
    grant: GrantId


class Take(msgspec.Struct, frozen=True):
    """The holder takes the credential: one use of the grant."""

    by: IdentityName


class Close(msgspec.Struct, frozen=True):
    """The grant ends early. `by` is `None` when Locum closes it."""

    how: CloseReason
    by: IdentityName | None
    review_due: datetime


class Elapse(msgspec.Struct, frozen=True):
    """Time has passed; `review_due` matters where a grant's end is reached."""

    review_due: datetime


class Settle(msgspec.Struct, frozen=True):
    """The credential of a closed grant was seen to be dead."""


class Judge(msgspec.Struct, frozen=True):
    """The review."""

    permit: MayReview
    comment: str


Command = Approve | Deny | Withdraw | Activate | Take | Close | Elapse | Settle | Judge


class Moved(msgspec.Struct, frozen=True):
    """The new state, and the act's name as the ledger writes it."""

    state: State
    act: str


Step = Callable[[Any, Any, datetime], Moved | Refusal]


def ask(permit: MayAsk, asked: Ask, need: int) -> Moved:
    """Begin a life: requested, or ready at once where no approvals are declared."""
    if asked.declaration != permit.declaration or asked.lapses_at != permit.lapses_at:
        raise TransitionNotAllowed("The request is not the one allowed.", "Ask anew.")
    state: State = Requested(asked) if need else Ready(asked, ())
    return Moved(state, "request.made")


def transition(state: State, command: Command, now: datetime) -> Moved | Refusal:
    """Apply one command to one state.

    Args:
        state: where the request stands.
        command: what is done, with the permit that allows it.
        now: aware UTC.

    Returns:
        `Moved`, or `Refusal` where a law about time or use forbids it.

    Raises:
        TransitionNotAllowed: the table has no such step; nothing is changed.
    """
    step = TABLE.get((type(state), type(command)))
    if step is None:
        raise TransitionNotAllowed(
            f"A request that is {name_of(state)} cannot be {_WORDS[type(command)]}.",
            "Look at it again: `locum status`.",
        )
    return step(state, command, now)


def _in_time(state: Requested | Ready, now: datetime, remedy: str = "Ask anew.") -> None:
    if now >= state.ask.lapses_at:
        raise TransitionNotAllowed(
            f"The request lapsed at {state.ask.lapses_at.isoformat()}.", remedy
        )


def _approve(state: Requested, command: Approve, now: datetime) -> Moved:
    _in_time(state, now)
    permit = command.permit
    if permit.digest != state.ask.digest():
        raise TransitionNotAllowed("The permit is for another request.", "Decide about this one.")
    if permit.key is None:
        raise TransitionNotAllowed("The permit is for a no.", "Decide about this one anew.")
    approval = Approval(permit.by, now, permit.digest, command.comment, permit.key)
    approvals = (*state.approvals, approval)
    if len(approvals) < permit.need:
        return Moved(Requested(state.ask, approvals), "request.approved")
    return Moved(Ready(state.ask, approvals), "request.approved")


def _deny(state: Requested | Ready, command: Deny, now: datetime) -> Moved:
    if command.permit.digest != state.ask.digest():
        raise TransitionNotAllowed("The permit is for another request.", "Decide about this one.")
    by = command.permit.by
    return Moved(Refused(state.ask, state.approvals, by, now, command.comment), "request.denied")


def _withdraw(state: Requested | Ready, command: Withdraw, now: datetime) -> Moved:
    if command.by != state.ask.requester:
        raise TransitionNotAllowed(
            "Only the requester withdraws a request.", "An approver denies it instead."
        )
    return Moved(
        Refused(state.ask, state.approvals, command.by, now, command.comment),
        "request.withdrawn",
    )


def _lapse(state: Requested | Ready, _command: Elapse, now: datetime) -> Moved:
    if now < state.ask.lapses_at:
        raise TransitionNotAllowed("The request has not lapsed yet.", "Wait.")
    return Moved(Lapsed(state.ask, state.approvals, now), "request.lapsed")


def _activate(state: Ready, command: Activate, now: datetime) -> Moved:
    _in_time(state, now)
    permit = command.permit
    grant = Grant(
        command.grant,
        permit.authority,
        now,
        permit.ends_at,
        permit.uses,
        permit.proof,
        permit.conditions,
        permit.by,
        permit.replaces,
    )
    return Moved(Open(state.ask, state.approvals, grant), "grant.opened")


def _take(state: Open, command: Take, now: datetime) -> Moved | Refusal:
    breaches = still_valid(state.grant, state.used, now)
    if breaches:
        return Refusal(breaches)
    if command.by != (state.grant.holder or state.ask.requester):
        raise TransitionNotAllowed(
            "Only who opened the grant takes its credential.", "Make a request of your own."
        )
    return Moved(msgspec.structs.replace(state, used=state.used + 1), "credential.taken")


def _close(state: Open, command: Close, now: datetime) -> Moved:
    return Moved(_closed(state, command.how, command.by, command.review_due, now), "grant.closed")


def _expire(state: Open, command: Elapse, now: datetime) -> Moved:
    if now < state.grant.ends_at:
        raise TransitionNotAllowed("The grant's end is not reached.", "Wait, or close it.")
    closed = _closed(state, CloseReason.EXPIRED, None, command.review_due, now)
    return Moved(closed, "grant.closed")


def _closed(
    state: Open, how: CloseReason, by: IdentityName | None, review_due: datetime, now: datetime
) -> Closed:
    return Closed(state.ask, state.approvals, state.grant, state.used, now, how, by, review_due)


def _settle(state: Closed, _command: Settle, now: datetime) -> Moved:
    return Moved(msgspec.structs.replace(state, settled_at=now), "credential.dead")


def _settle_reviewed(state: Reviewed, _command: Settle, now: datetime) -> Moved:
    closed = msgspec.structs.replace(state.closed, settled_at=now)
    return Moved(msgspec.structs.replace(state, closed=closed), "credential.dead")


def _judge(state: Closed, command: Judge, now: datetime) -> Moved:
    review = Review(command.permit.by, now, command.permit.verdict, command.comment)
    return Moved(Reviewed(state, review), "grant.reviewed")


TABLE: dict[tuple[type, type], Step] = {
    (Requested, Approve): _approve,
    (Requested, Deny): _deny,
    (Requested, Withdraw): _withdraw,
    (Requested, Elapse): _lapse,
    (Ready, Deny): _deny,
    (Ready, Withdraw): _withdraw,
    (Ready, Elapse): _lapse,
    (Ready, Activate): _activate,
    (Open, Take): _take,
    (Open, Close): _close,
    (Open, Elapse): _expire,
    (Closed, Settle): _settle,
    (Closed, Judge): _judge,
    (Reviewed, Settle): _settle_reviewed,
}

_WORDS: dict[type, str] = {
    Approve: "approved",
    Deny: "denied",
    Withdraw: "withdrawn",
    Activate: "activated",
    Take: "used",
    Close: "closed",
    Elapse: "ended by time",
    Settle: "settled",
    Judge: "reviewed",
}
