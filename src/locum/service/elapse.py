"""Elapse: what time alone ends. The scheduler calls it; so does every start, to catch up.

Ends do not depend on it: a check compares the grant's end with the clock, and the end is inside
the credential. This makes the ending seen: closed, on the record, its review due.
"""

from __future__ import annotations

from collections.abc import Callable

from locum.evidence.conditions import missing_conditions
from locum.laws.life_cycle import Elapse, Moved, transition
from locum.laws.never_unseen import review_due
from locum.laws.no_one_alone import opened_by_identity
from locum.laws.only_when_shut import restored
from locum.laws.same_checks import conditions, conditions_hold
from locum.model.estate import Estate
from locum.model.names import GrantId, PathName, RequestId
from locum.model.path import CloseRule, Path
from locum.model.request import Closed, CloseReason, Open, Ready, Requested, ask_of
from locum.model.trust import CertificateTrust
from locum.service.activate import close_grant, finish
from locum.service.record import declared_then, keep
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Outcome, Row

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
        # Another replica may have ended it while this one waited for its lock.
        if row is None or not isinstance(row.state, Requested | Ready | Open):
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


def watched_paths(estate: Estate) -> tuple[Path, ...]:
    """The paths whose open grants are looked at again and again: those that something may close."""
    return tuple(
        path
        for path in estate.paths()
        if CloseRule.RESTORED in path.closes
        or opened_by_identity(path)
        or conditions(path, estate.identities[path.name.identity])
    )


def recheck(locum: Locum, path: PathName | None = None) -> int:
    """Close open grants whose primary is back (law 4) or whose conditions are gone (law 7).

    A disabled identity or requester, a revoked key, and a path that the estate no longer declares
    close too.

    Args:
        path: only its grants; `None` looks at every open grant, page by page.

    Returns:
        How many were closed.
    """
    closed, cursor = 0, None
    while True:
        page = _page(locum, path, cursor)
        for row in page.rows:
            if isinstance(row.state, Open):
                closed += locum.store.act(_closing(locum, row.state.grant.id)).result()
        cursor = page.cursor
        if cursor is None:
            return closed


def _page(locum: Locum, path: PathName | None, cursor: str | None) -> Outcome:
    def read(transaction: Transaction) -> Outcome:
        found = transaction.requests(state="open", path=path, cursor=cursor, limit=AT_ONCE)
        stale = tuple(row for row in found.rows if _no_longer(locum, transaction, row))
        return Outcome(stale, found.cursor)

    return locum.store.look(read)


def _closing(locum: Locum, grant: GrantId) -> Callable[[Transaction], int]:
    def close(transaction: Transaction) -> int:
        row = transaction.request_of(grant)
        how = None if row is None else _no_longer(locum, transaction, row)
        if row is None or how is None:
            return 0
        close_grant(locum, transaction, row, how, None)
        return 1

    return close


def _no_longer(locum: Locum, transaction: Transaction, row: Row) -> CloseReason | None:
    """Why a grant must close now, if it must."""
    if not isinstance(row.state, Open):
        return None
    estate, asked = locum.estate.now, row.state.ask
    people = (estate.identities.get(asked.path.identity), estate.identities.get(asked.requester))
    declared = estate.path(asked.path)
    if (
        any(one is None or one.disabled for one in people)
        or declared is None
        or (_primary_gone if opened_by_identity(declared) else _key_gone)(
            locum, transaction, row.state
        )
    ):
        return CloseReason.SIGNAL
    path = declared_then(locum, transaction, asked.declaration)
    if restored(path, asked.cause, locum.observations.get(asked.path), locum.clock()):
        return CloseReason.RESTORED
    return None


def _key_gone(_locum: Locum, transaction: Transaction, state: Open) -> bool:
    """Whether the requester's key was revoked, or what was vouched for it no longer holds."""
    key = transaction.caller(state.ask.key)
    return (
        key is None
        or key.revoked_at is not None
        or bool(conditions_hold(_withdrawn(state, key.conditions)))
    )


def _primary_gone(locum: Locum, _transaction: Transaction, state: Open) -> bool:
    """Whether the primary that opened the grant would be refused now, but for its own end.

    It was revoked; its pin, or an authority of its bundle, was taken back; or the bundle vouches
    for less. That it ends is what a rotation is for.
    """
    identity = locum.estate.now.identities[state.ask.path.identity]
    pin, old = identity.primary.known_by, state.grant.replaces
    trust = None if pin is None else locum.estate.now.trust.get(pin.trust)
    return (
        not isinstance(trust, CertificateTrust)
        or old is None
        or old.known_by != pin
        or not old.authorities <= trust.authorities
        or locum.trust.serial_revoked(trust, old.serial)
        or bool(conditions_hold(_withdrawn(state, trust.vouches)))
    )


def _withdrawn(state: Open, vouched: frozenset[str]) -> tuple[str, ...]:
    vouchable = frozenset(
        condition for condition in state.grant.conditions if not condition.startswith("network:")
    )
    return missing_conditions(vouchable, vouched, "")
