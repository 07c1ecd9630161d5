"""Who is calling: what was proved about them, and that they are still admitted.

The face proves that the caller holds a key; here the key is looked up in the same transaction as
the act, so a revoked key, an ended one or a disabled person is refused at the act and not just at
sign-in. A proof is spent by the act that it was made for (RFC 9449 §11.1).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from locum.model.estate import ADMINISTRATORS, Estate
from locum.model.names import IdentityName
from locum.model.refusal import Breach, Conflict, Law, RefusedError, Unauthenticated
from locum.model.request import ActingKey
from locum.store.port import Transaction

PROOF_LIFE = timedelta(seconds=60)
"""How far a proof's `iat` may lie from now, either way."""


class Proven(msgspec.Struct, frozen=True):
    """What a face verified about a call.

    Args:
        jkt: the thumbprint of the key whose possession was proved.
        jti: the proof's own id; spent by a writing act.
        source: the network address that the call came from.
    """

    jkt: str
    jti: str
    source: str


class Caller(msgspec.Struct, frozen=True):
    """Somebody admitted: their identity, key, source and what was vouched for them."""

    identity: IdentityName
    jkt: str
    source: str
    vouched: frozenset[str]
    key: ActingKey
    presented: frozenset[str] = frozenset({"locum-key"})


def admit(
    transaction: Transaction, estate: Estate, proven: Proven, now: datetime, *, spend: bool
) -> Caller:
    """Admit the caller to one act.

    Args:
        spend: whether the proof is spent by this act; true for every act that writes.

    Raises:
        Unauthenticated: unknown, revoked or ended key, a person who is not in the estate or is
            disabled, or a proof used before. The answer is the same for all of them.
        StorageError: the clock was ahead, and whether the proof was used is forgotten.
    """
    key = transaction.caller(proven.jkt)
    person = None if key is None else estate.identities.get(key.identity)
    if (
        key is None
        or key.revoked_at is not None
        or now >= key.expires_at
        or person is None
        or person.disabled
    ):
        raise unproved()
    if spend:
        try:
            transaction.claim_proof(proven.jkt, proven.jti, now + 2 * PROOF_LIFE, now)
        except Conflict:
            raise unproved() from None
    acting = ActingKey(key.registered_at, key.invited_by)
    return Caller(key.identity, key.jkt, proven.source, key.conditions, acting)


def unproved() -> Unauthenticated:
    """The one answer to a call that does not prove an admitted caller, whatever failed."""
    return Unauthenticated(
        "The call does not prove a registered key.",
        "Sign in: `locum login --invite CODE`, with an invitation of an administrator.",
    )


def demand_administrator(caller: Caller, estate: Estate) -> None:
    """Let only administrators pass.

    Raises:
        RefusedError: the caller is none.
    """
    if caller.identity not in estate.members(ADMINISTRATORS):
        raise RefusedError(
            (
                Breach(
                    Law.NO_ONE_ALONE,
                    f"{caller.identity} is not an administrator.",
                    f"Have somebody of {ADMINISTRATORS} do it.",
                ),
            )
        )
