"""Decide: an approver says yes or no to exactly what is asked, or the requester withdraws it."""

from __future__ import annotations

from enum import Enum

from locum.laws.life_cycle import Approve, Deny, Moved, Withdraw, transition
from locum.laws.opening import decide_approval
from locum.laws.permits import Refusal
from locum.model.names import Digest, RequestId
from locum.model.request import approvals_of, ask_of
from locum.service.caller import Proven, admit
from locum.service.record import declared_then, keep, record_refusal, request_row
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row


class Decision(Enum):
    """An approver's word."""

    APPROVE = "approve"
    DENY = "deny"


def decide_request(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    request: RequestId,
    decision: Decision,
    digest: Digest,
    comment: str,
) -> Row | Refusal:
    """Approve or deny a request; its requester's denial withdraws it.

    Args:
        digest: of the request, as the decider saw it.

    Returns:
        The row after the decision, or the refusal, which is on the record.

    Raises:
        NotFound: no such request.
        TransitionNotAllowed: it is decided, lapsed or opened already.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True)
    row = request_row(transaction, request)
    asked = ask_of(row.state)
    path = declared_then(locum, transaction, asked.declaration)
    if decision is Decision.DENY and caller.identity == asked.requester:
        moved = transition(row.state, Withdraw(caller.identity, comment), now)
    else:
        permit = decide_approval(
            path,
            asked,
            approvals_of(row.state),
            caller.identity,
            digest,
            estate,
            now,
            caller.key if decision is Decision.APPROVE else None,
        )
        if isinstance(permit, Refusal):
            record_refusal(transaction, permit, request, asked.path, caller, now)
            return permit
        command = Approve if decision is Decision.APPROVE else Deny
        moved = transition(row.state, command(permit, comment), now)
    if not isinstance(moved, Moved):
        return moved
    return keep(
        locum,
        transaction,
        moved,
        path,
        now,
        was=row,
        caller=caller,
        words=comment,
        facts={"ask": digest},
    )
