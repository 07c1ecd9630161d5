"""Close: somebody ends a grant before its end; anybody who may touch the path may."""

from __future__ import annotations

from locum.laws.no_one_alone import who_may_ask
from locum.model.estate import ADMINISTRATORS, Estate
from locum.model.names import GrantId, IdentityName
from locum.model.path import Path
from locum.model.refusal import Breach, Law, RefusedError
from locum.model.request import CloseReason, State, ask_of, grant_of
from locum.service.activate import close_grant
from locum.service.caller import Proven, admit, demand_own
from locum.service.record import declared_then, grant_row
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row

BY_A_PERSON = frozenset({CloseReason.REVOKED, CloseReason.USED_UP, CloseReason.LEAKED})


def close_by_caller(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    grant: GrantId,
    how: CloseReason,
    comment: str,
) -> Row:
    """End a grant now.

    Args:
        how: why; only what a person can know (revoked, used up, leaked).

    Raises:
        NotFound: no such grant.
        RefusedError: the caller has nothing to do with the path.
        TransitionNotAllowed: it is closed already.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    row = grant_row(transaction, grant)
    asked = ask_of(row.state)
    demand_own(caller, asked.path)
    path = declared_then(locum, transaction, asked.declaration)
    if caller.identity not in {asked.requester, holder_of(row.state), *concerned(path, estate)}:
        raise RefusedError(
            (
                Breach(
                    Law.NO_ONE_ALONE,
                    f"{caller.identity} has nothing to do with {path.name}.",
                    f"Have somebody of {path.review.by} or {ADMINISTRATORS} close it.",
                ),
            )
        )
    return close_grant(locum, transaction, row, how, caller, comment)


def holder_of(state: State) -> IdentityName | str:
    """Who opened a grant, and so takes its credential."""
    grant = grant_of(state)
    return ask_of(state).requester if grant is None or not grant.holder else grant.holder


def concerned(path: Path, estate: Estate) -> frozenset[IdentityName]:
    """The people who have to do with a path: those who ask, approve or review, administrators."""
    groups = {path.review.by, ADMINISTRATORS}
    if path.approvals is not None:
        groups.add(path.approvals.of)
        if path.approvals.escalate is not None:
            groups.add(path.approvals.escalate.to)
    asking = who_may_ask(path)
    if asking is not None:
        groups.add(asking)
    return frozenset().union(*(estate.members(group) for group in groups))
