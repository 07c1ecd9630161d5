"""Review: somebody who neither asked nor approved judges what was done."""

from __future__ import annotations

from locum.laws.life_cycle import Judge, transition
from locum.laws.opening import decide_review
from locum.laws.permits import Refusal
from locum.model.names import GrantId
from locum.model.request import Verdict, approvals_of, ask_of
from locum.service.caller import Proven, admit
from locum.service.record import declared_then, grant_row, keep, record_refusal
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row


def review_grant(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    grant: GrantId,
    verdict: Verdict,
    comment: str,
) -> Row | Refusal:
    """Judge a closed grant, which unblocks its path.

    Returns:
        The row after the review, or the refusal, which is on the record.

    Raises:
        NotFound: no such grant.
        TransitionNotAllowed: it is still open, or reviewed already.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True)
    row = grant_row(transaction, grant)
    asked = ask_of(row.state)
    path = declared_then(locum, transaction, asked.declaration)
    permit = decide_review(
        path,
        asked,
        approvals_of(row.state),
        caller.identity,
        verdict,
        estate,
        caller.key,
        now,
    )
    if isinstance(permit, Refusal):
        record_refusal(transaction, permit, grant, asked.path, caller, now)
        return permit
    moved = transition(row.state, Judge(permit, comment), now)
    if isinstance(moved, Refusal):
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
        facts={"verdict": verdict.value},
    )
