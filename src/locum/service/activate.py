"""Activate: the requester opens the path; take: its credential is delivered, once per use.

What an act can know only by asking the network (is the primary down, can the vault and the target
be reached) is found out before it, and the decision is made on those values inside the act. A
secret is produced after the commit that spends the use, so it can never be delivered twice; a
leased token is made with that commit, because only its hash is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from locum.evidence.conditions import missing_conditions
from locum.issue.generate import new_token, token_hash
from locum.issue.signing_request import SigningRequest
from locum.laws.life_cycle import Activate, Close, Moved, Settle, Take, transition
from locum.laws.never_unseen import review_due
from locum.laws.opening import Facts, decide_opening
from locum.laws.permits import Refusal
from locum.laws.same_checks import conditions
from locum.model.names import GrantId, RequestId
from locum.model.path import Path
from locum.model.refusal import RefusedError, TransitionNotAllowed
from locum.model.request import Closed, CloseReason, Open, approvals_of, ask_of
from locum.model.secret import Secret
from locum.service.ask import find_path
from locum.service.caller import Caller, Proven, admit, demand_own
from locum.service.certificates import (
    Requested,
    bounded,
    facts_for_ledger,
    issue_within,
    revoke,
    yields_certificate,
)
from locum.service.observe import seen_recently
from locum.service.record import (
    declared_then,
    grant_row,
    keep,
    past_of,
    record_refusal,
    request_row,
    settled_later,
)
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row, Token


class Opened(msgspec.Struct, frozen=True):
    """An open grant, and the secret where one was made with the commit.

    Args:
        taken: this act spent a use, so the credential is to be produced now.
        certificate: a certificate with its chain (PEM), where one was signed with the commit.
        asked: what is to be signed after the commit, where another authority signs.
    """

    row: Row
    path: Path
    taken: bool
    secret: Secret | None = None
    certificate: str = ""
    asked: Requested | None = None


class NotPrepared(msgspec.Struct, frozen=True):
    """Something must be looked at on the network before this path opens; nothing has changed."""

    path: Path


def activate_request(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    request: RequestId,
    *,
    take: bool,
    prepared: bool,
    csr: SigningRequest | None = None,
) -> Opened | NotPrepared | Refusal:
    """Open the path of a request that is ready.

    Args:
        take: deliver the credential at once, which spends a use.
        csr: what is to be signed, where the path yields a certificate.
        prepared: vault, target and primary were looked at for this call.

    Returns:
        The open grant; or that something is to be looked at first; or the refusal, which is on
        the record.

    Raises:
        NotFound: no such request, or the estate no longer declares its path.
        TransitionNotAllowed: not ready, or opened already.
        Conflict: another grant of the same target is live.
    """
    now, estate = locum.clock(), locum.estate.now
    row = request_row(transaction, request)
    asked = ask_of(row.state)
    identity, path = find_path(estate, asked.path)
    if not prepared and (path.target is not None or not seen_recently(locum, path)):
        demand_own(admit(transaction, estate, proven, now, spend=False, workloads=True), asked.path)
        return NotPrepared(path)
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    demand_own(caller, asked.path)
    facts = Facts(
        caller.presented,
        missing_conditions(conditions(path, identity), caller.vouched, caller.source),
        locum.observations.get(asked.path),
        caller.primary,
    )
    decision = decide_opening(
        path,
        identity,
        asked,
        approvals_of(row.state),
        caller.identity,
        estate,
        past_of(transaction, asked.path, now),
        facts,
        now,
        locum.estate.proved(path, identity),
    )
    if isinstance(decision, Refusal):
        record_refusal(transaction, decision, request, asked.path, caller, now)
        return decision
    bounds = bounded(locum, transaction, caller, csr) if take and yields_certificate(path) else None
    if isinstance(bounds, Refusal):
        record_refusal(transaction, bounds, request, asked.path, caller, now)
        return bounds
    grant = GrantId("gr_" + request.removeprefix("rq_"))
    moved = transition(row.state, Activate(decision, grant), now)
    made = Made()
    if take and isinstance(moved, Moved):
        taken = transition(moved.state, Take(caller.identity), now)
        if not isinstance(taken, Moved):
            return taken
        moved = Moved(taken.state, moved.act)
        made = _make(locum, transaction, taken.state, path, caller, bounds)
    if not isinstance(moved, Moved):
        return moved
    row = keep(
        locum,
        transaction,
        moved,
        path,
        now,
        was=row,
        caller=caller,
        facts={"cause": asked.cause.value, "proof": decision.proof, "taken": take} | made.facts,
    )
    return Opened(row, path, take, made.secret, made.certificate, made.asked)


def take_credential(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    grant: GrantId,
    csr: SigningRequest | None = None,
) -> Opened | Refusal:
    """Spend a use of an open grant; the caller produces and delivers the credential after.

    Args:
        csr: what is to be signed, where the path yields a certificate.

    Raises:
        NotFound: no such grant.
        TransitionNotAllowed: it is not open, or another person's.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    row = grant_row(transaction, grant)
    asked = ask_of(row.state)
    demand_own(caller, asked.path)
    path = declared_then(locum, transaction, asked.declaration)
    bounds = bounded(locum, transaction, caller, csr) if yields_certificate(path) else None
    if isinstance(bounds, Refusal):
        record_refusal(transaction, bounds, grant, asked.path, caller, now)
        return bounds
    moved = transition(row.state, Take(caller.identity), now)
    if isinstance(moved, Refusal):
        record_refusal(transaction, moved, grant, asked.path, caller, now)
        return moved
    made = _make(locum, transaction, moved.state, path, caller, bounds)
    kept = keep(locum, transaction, moved, path, now, was=row, caller=caller, facts=made.facts)
    return Opened(kept, path, True, made.secret, made.certificate, made.asked)


class Made(msgspec.Struct, frozen=True):
    """What was made with the commit that spends a use, and what the ledger says of it."""

    secret: Secret | None = None
    certificate: str = ""
    asked: Requested | None = None
    facts: dict[str, str | int | bool | list[str]] = {}


def _make(
    locum: Locum,
    transaction: Transaction,
    state: object,
    path: Path,
    caller: Caller,
    bounds: Requested | None,
) -> Made:
    if not isinstance(state, Open):
        return Made()
    if bounds is not None:
        signed = issue_within(locum, transaction, bounds, state.grant)
        if signed is None:
            return Made(asked=bounds)
        row, chain = signed
        return Made(certificate=chain, facts=facts_for_ledger(row))
    if "leased-token" in path.methods:
        return Made(_token(locum, transaction, state, caller))
    return Made()


def _token(locum: Locum, transaction: Transaction, state: Open, caller: Caller) -> Secret:
    secret = new_token(locum.rng)
    transaction.add_token(
        Token(
            token_hash(secret),
            state.grant.id,
            caller.identity,
            caller.jkt,
            locum.clock(),
            state.grant.ends_at,
        )
    )
    return secret


def close_grant(
    locum: Locum,
    transaction: Transaction,
    row: Row,
    how: CloseReason,
    caller: Caller | None,
    comment: str = "",
    facts: Mapping[str, str] | None = None,
) -> Row:
    """Close an open grant: its tokens and certificates die in this commit, its secret by the task
    that follows.

    Args:
        facts: what the ledger is to say beside how it ended.

    Raises:
        TransitionNotAllowed: it is not open.
    """
    now = locum.clock()
    path = declared_then(locum, transaction, ask_of(row.state).declaration)
    by = None if caller is None else caller.identity
    moved = transition(row.state, Close(how, by, review_due(path, now)), now)
    return finish(locum, transaction, row, moved, path, caller, comment, facts)


def finish(
    locum: Locum,
    transaction: Transaction,
    row: Row,
    moved: Moved | Refusal,
    path: Path,
    caller: Caller | None,
    comment: str = "",
    more: Mapping[str, str] | None = None,
) -> Row:
    """Keep a grant's end; where nothing outside holds a secret, it is dead with this commit."""
    now = locum.clock()
    if isinstance(moved, Refusal):
        raise RefusedError(moved.breaches)
    if not isinstance(moved.state, Closed):
        raise TransitionNotAllowed("The grant did not close.", "Look at it: `locum status`.")
    transaction.revoke_tokens(moved.state.grant.id, now)
    facts: dict[str, str | int | bool | list[str]] = {"how": moved.state.how.value}
    facts.update(more or {})
    if serials := revoke(transaction, moved.state.grant.id, moved.state.how, now):
        facts["revoked"] = serials
    if not settled_later(locum, path):
        dead = transition(moved.state, Settle(), now)
        if isinstance(dead, Moved):
            moved = Moved(dead.state, moved.act)
            facts["dead"] = True
    return keep(
        locum, transaction, moved, path, now, was=row, caller=caller, words=comment, facts=facts
    )
