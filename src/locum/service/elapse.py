"""Elapse: what time alone ends. The scheduler calls it; so does every start, to catch up.

Ends do not depend on it: a check compares the grant's end with the clock, and the end is inside
the credential. This makes the ending seen: closed, on the record, its review due.
"""

from __future__ import annotations

from locum.evidence.conditions import missing_conditions
from locum.laws.life_cycle import Elapse, Moved, transition
from locum.laws.never_unseen import review_due
from locum.laws.only_when_shut import restored
from locum.laws.same_checks import conditions_hold
from locum.model.names import RequestId
from locum.model.request import Closed, CloseReason, Open, ask_of
from locum.service.activate import close_grant, finish
from locum.service.record import declared_then, keep
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row

AT_ONCE = 200


def elapse_due(locum: Locum, transaction: Transaction) -> tuple[RequestId, ...]:
    """End what has reached its end: lapse requests, close grants.

    Returns:
        What was ended, at most `AT_ONCE`; call again while it gives any.
    """
    now = locum.clock()
    ended: list[RequestId] = []
    for request in transaction.due(now, AT_ONCE):
        row = transaction.request(request)
        if row is None:
            continue
        path = declared_then(locum, transaction, ask_of(row.state).declaration)
        ends = row.state.grant.ends_at if isinstance(row.state, Open) else now
        moved = transition(row.state, Elapse(review_due(path, ends)), now)
        if not isinstance(moved, Moved):
            continue
        if isinstance(moved.state, Closed):
            finish(locum, transaction, row, moved, path, None)
        else:
            keep(locum, transaction, moved, path, now, was=row, caller=None)
        ended.append(request)
    return tuple(ended)


def close_what_no_longer_holds(locum: Locum, transaction: Transaction) -> tuple[Row, ...]:
    """Close open grants whose primary is back (law 4) or whose conditions no longer hold (law 7).

    A disabled identity or requester, a revoked key and a withdrawn condition close too.
    """
    now, estate = locum.clock(), locum.estate.now
    closed: list[Row] = []
    for row in transaction.open_grants():
        if not isinstance(row.state, Open):
            continue
        asked = row.state.ask
        path = declared_then(locum, transaction, asked.declaration)
        identity = estate.identities.get(asked.path.identity)
        requester = estate.identities.get(asked.requester)
        key = transaction.caller(asked.key)
        how = None
        if (
            identity is None
            or identity.disabled
            or requester is None
            or requester.disabled
            or key is None
            or key.revoked_at is not None
        ) or conditions_hold(_withdrawn(row.state, key.conditions)):
            how = CloseReason.SIGNAL
        elif restored(path, asked.cause, locum.observations.get(asked.path), now):
            how = CloseReason.RESTORED
        if how is not None:
            closed.append(close_grant(locum, transaction, row, how, None))
    return tuple(closed)


def _withdrawn(state: Open, vouched: frozenset[str]) -> tuple[str, ...]:
    vouchable = frozenset(
        condition for condition in state.grant.conditions if not condition.startswith("network:")
    )
    return missing_conditions(vouchable, vouched, "")
