"""People: invited by an administrator, they register a key; keys end and are revoked."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

import msgspec

from locum.laws.no_one_alone import behind
from locum.ledger.entry import Entry
from locum.model.estate import Estate, Kind
from locum.model.names import IdentityName
from locum.model.refusal import Conflict, MalformedInput, Unauthenticated
from locum.model.secret import Secret
from locum.service.caller import Caller, Proven, admit, demand_administrator
from locum.service.notices import key_letters
from locum.service.record import record
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Answer, CallerKey, Invitation, Task

INVITATION_LIFE = timedelta(minutes=10)
KEY_LIFE = timedelta(days=90)
CALLS_KEPT = timedelta(hours=24)
CODE_BYTES = 20


class Call(msgspec.Struct, frozen=True):
    """A call's idempotency key, and the digest of method, path and body that it stands for."""

    key: str
    digest: bytes


def invite(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    identity: IdentityName,
    conditions: frozenset[str],
    call: Call | None = None,
) -> tuple[Secret, datetime]:
    """Invite a person of the estate to register a key; only administrators may.

    The code is kept nowhere, so a repeated call cannot give it again: it ends the invitation that
    it gave before, and gives a fresh one. So one call never leaves two invitations.

    Args:
        conditions: what the administrator vouches for, e.g. `managed-device`.
        call: `None` where the call has no idempotency key.

    Returns:
        The code, single use, and when it ends.

    Raises:
        RefusedError: the caller is no administrator.
        MalformedInput: the estate has no such person, or the key was used for another call.
        Conflict: what the call gave before was used or has ended.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True)
    demand_administrator(caller, estate)
    if call is not None:
        _end_the_earlier(transaction, caller, call, identity, now)
    inviters = frozenset({caller.identity}) | behind(caller.key, now)
    code, ends = issue_invitation(
        locum, transaction, identity, caller.identity, conditions, inviters
    )
    if call is not None:
        answer = Answer(call.digest, 201, code_hash(code))
        transaction.remember(caller.jkt, call.key, answer, now + CALLS_KEPT)
    return code, ends


def _end_the_earlier(
    transaction: Transaction, caller: Caller, call: Call, identity: IdentityName, now: datetime
) -> None:
    """End the invitation that this very call gave before, if it did."""
    kept = transaction.answer(caller.jkt, call.key)
    if kept is None:
        return
    if kept.request_digest != call.digest:
        raise MalformedInput("The idempotency key was used for another call.", "Use a new key.")
    if not transaction.withdraw_invitation(kept.body, now):
        raise Conflict(
            f"The invitation that this call gave for {identity} was used or has ended.",
            "Invite again under a new Idempotency-Key if another is needed.",
        )
    transaction.forget_answer(caller.jkt, call.key)
    record(
        transaction,
        Entry("invitation.withdrawn", now, actor=caller.identity, key=caller.jkt, subject=identity),
    )


def issue_invitation(
    locum: Locum,
    transaction: Transaction,
    identity: IdentityName,
    by: str,
    conditions: frozenset[str] = frozenset(),
    inviters: frozenset[IdentityName] = frozenset(),
) -> tuple[Secret, datetime]:
    """Make an invitation; called by `invite`, and by the operator's own `locum init`.

    Args:
        inviters: who may be acting with the key while it is young (law 6); nobody of the estate
            where the operator invites.
    """
    now = locum.clock()
    invited(locum.estate.now, identity)
    code = Secret("locum_in_" + base64.b32encode(locum.rng(CODE_BYTES)).decode().lower())
    ends = now + INVITATION_LIFE
    transaction.invite(Invitation(code_hash(code), identity, inviters, now, ends, conditions))
    record(
        transaction,
        Entry(
            "person.invited",
            now,
            actor=by,
            subject=identity,
            facts={"ends": ends.isoformat(), "conditions": sorted(conditions)},
        ),
    )
    return code, ends


def invited(estate: Estate, identity: IdentityName) -> None:
    """Let only a person of the estate be invited.

    Raises:
        MalformedInput: there is no such person.
    """
    person = estate.identities.get(identity)
    if person is None or person.kind is not Kind.HUMAN or person.disabled:
        raise MalformedInput(
            f"The estate has no person {identity}.", "Declare them with `kind: human` first."
        )


def code_hash(code: Secret) -> bytes:
    """What is kept of an invitation's code. 160 random bits need no slow hash (LUS-1)."""
    return hashlib.sha256(code.reveal().encode()).digest()


def register_key(
    locum: Locum, transaction: Transaction, code: Secret, jkt: str, jwk: bytes, source: str
) -> CallerKey:
    """Register the key whose possession was proved, against an invitation.

    Raises:
        Unauthenticated: no such invitation, spent, ended, or the person is gone. The answer is the
            same for all of them.
        Conflict: the key is registered already.
    """
    now, estate = locum.clock(), locum.estate.now
    invitation = transaction.redeem(code_hash(code), now)
    person = None if invitation is None else estate.identities.get(invitation.identity)
    if invitation is None or person is None or person.disabled:
        raise Unauthenticated(
            "The invitation is not valid.", "Ask an administrator for a new one; it lives 10 min."
        )
    key = CallerKey(
        jkt,
        invitation.identity,
        jwk,
        now,
        now + KEY_LIFE,
        invitation.conditions,
        invited_by=invitation.invited_by,
    )
    try:
        transaction.add_caller(key)
    except Conflict:
        raise Conflict(
            "This key is registered already.", "Make a new key: `locum login --invite CODE`."
        ) from None
    record(
        transaction,
        Entry(
            "key.registered",
            now,
            actor=invitation.identity,
            key=jkt,
            subject=invitation.identity,
            facts={"source": source, "ends": key.expires_at.isoformat()},
        ),
    )
    for letter in key_letters(person, jkt, source, key.invited_by, now):
        transaction.enqueue(letter)
    return key


def revoke_key(locum: Locum, transaction: Transaction, proven: Proven, jkt: str) -> None:
    """Revoke a key: one's own, or any as an administrator. Its open grants are closed next.

    Raises:
        RefusedError: somebody else's key, and the caller is no administrator.
        MalformedInput: no such key.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True)
    key = transaction.caller(jkt)
    if key is None or key.identity != caller.identity:
        demand_administrator(caller, estate)
    if key is None:
        raise MalformedInput(f"There is no key {jkt}.", "List them: `locum keys`.")
    transaction.revoke_caller(jkt, now)
    record(
        transaction,
        Entry("key.revoked", now, actor=caller.identity, key=caller.jkt, subject=jkt),
    )
    transaction.enqueue(Task("recheck", b"{}", now, now))
