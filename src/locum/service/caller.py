"""Who is calling: what was proved about them, and that they are still admitted.

The face proves that the caller holds a key; here the key is looked up in the same transaction as
the act, so a revoked key, an ended one or a disabled person is refused at the act and not just at
sign-in. A proof is spent by the act that it was made for (RFC 9449 §11.1).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from locum.model.certificate import CertificateFacts
from locum.model.estate import ADMINISTRATORS, Estate
from locum.model.names import IdentityName, PathName
from locum.model.presenter import Presenter
from locum.model.refusal import Breach, Conflict, Law, NotFound, RefusedError, Unauthenticated
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
        presenter: the workload that proved itself by its primary; its certificate or token then
            stands for the key. `None` where a registered key was proved.
    """

    jkt: str
    jti: str
    source: str
    presenter: Presenter | None = None


class Caller(msgspec.Struct, frozen=True):
    """Somebody admitted: their identity, key, source and what was vouched for them.

    Args:
        primary: the certificate of a workload that proved itself by one.
        workload: whether it is a workload, by its primary; it touches only what is its own.
    """

    identity: IdentityName
    jkt: str
    source: str
    vouched: frozenset[str]
    key: ActingKey
    presented: frozenset[str] = frozenset({"locum-key"})
    primary: CertificateFacts | None = None
    workload: bool = False


def admit(
    transaction: Transaction,
    estate: Estate,
    proven: Proven,
    now: datetime,
    *,
    spend: bool,
    workloads: bool = False,
) -> Caller:
    """Admit the caller to one act.

    Args:
        spend: whether the proof is spent by this act; true for every act that writes. What a
            workload proves by is spent by nothing: a channel is not replayed, a token is shared.
        workloads: whether a workload may do this, by its primary, to what is its own.

    Raises:
        Unauthenticated: unknown, revoked or ended key, a person who is not in the estate or is
            disabled, or a proof used before. The answer is the same for all of them.
        RefusedError: a workload, where only people act.
        StorageError: the clock was ahead, and whether the proof was used is forgotten.
    """
    if proven.presenter is not None:
        return _admit_workload(estate, proven, proven.presenter, now, allowed=workloads)
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


def _admit_workload(
    estate: Estate, proven: Proven, presenter: Presenter, now: datetime, *, allowed: bool
) -> Caller:
    identity, facts = estate.identities.get(presenter.identity), presenter.facts
    if (
        identity is None
        or identity.disabled
        or presenter.method not in identity.primary.methods
        or (facts is not None and now >= facts.not_after)
    ):
        raise unproved()
    if not allowed:
        raise RefusedError(
            (
                Breach(
                    Law.NO_ONE_ALONE,
                    f"{presenter.identity} is a workload; this is for people.",
                    "Have a person do it, with a key of their own.",
                ),
            )
        )
    return Caller(
        presenter.identity,
        proven.jkt,
        proven.source,
        presenter.vouched,
        ActingKey(now if facts is None else facts.not_before, frozenset()),
        frozenset({presenter.method}),
        facts,
        workload=True,
    )


def demand_own(caller: Caller, path: PathName) -> None:
    """Let a workload touch only what is its own; people are bound by the laws.

    Raises:
        NotFound: it is another's; that it exists is not told.
    """
    if caller.workload and caller.identity != path.identity:
        raise NotFound(
            f"{caller.identity} has no such thing.", "A workload sees only what is its own."
        )


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
