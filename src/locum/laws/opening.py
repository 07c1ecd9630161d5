"""The decisions of a path's life, each made of the laws that bear on it.

Every function takes values and returns a permit that only it can make, or a `Refusal` with every
breach found. What cannot be decided refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from locum.laws.never_unseen import not_blocked
from locum.laws.no_longer import hard_end, not_ended
from locum.laws.no_one_alone import (
    enough_approvals,
    may_approve_with,
    may_ask_for,
    may_decide,
    may_judge,
    opened_by_identity,
)
from locum.laws.no_weaker import presented_as_declared, waived, weaker_than_primary
from locum.laws.no_wider import granted_authority, no_wider
from locum.laws.only_when_shut import Shut, declared_cause, front_door_shut
from locum.laws.permits import MayApprove, MayAsk, MayOpen, MayReview, Refusal
from locum.laws.rotation_window import announced
from locum.laws.same_checks import conditions, conditions_hold
from locum.model.cause import Cause, Observation, Window
from locum.model.certificate import CertificateFacts
from locum.model.digest import digest
from locum.model.estate import Estate, Identity
from locum.model.names import Digest, IdentityName
from locum.model.path import Path
from locum.model.refusal import Breach, Law
from locum.model.request import ActingKey, Approval, Ask, Replaced, Verdict
from locum.model.trust import CertificateTrust


class Past(msgspec.Struct, frozen=True):
    """What earlier grants of a path say about opening it again; grants by their ids."""

    due: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    drilled_at: datetime | None = None


class Facts(msgspec.Struct, frozen=True):
    """What verifiers found about the one who is calling now.

    Args:
        presented: the methods that were proved.
        missing: conditions that no verifier found to hold.
        observation: what the path's probe saw last; `None` where it was not run.
        primary: the primary certificate, where one was presented.
    """

    presented: frozenset[str]
    missing: tuple[str, ...] = ()
    observation: Observation | None = None
    primary: CertificateFacts | None = None


class Proved(msgspec.Struct, frozen=True):
    """What follows from a declaration alone, so it is worked out once for each estate.

    Args:
        declaration: its digest.
        weaker: where it is weaker than its primary, waiver or not (law 1).
        wider: where it is wider than its primary (law 2).
    """

    declaration: Digest
    weaker: tuple[Breach, ...]
    wider: tuple[Breach, ...]


def prove(path: Path, identity: Identity) -> Proved:
    """Work out what follows from a declaration alone."""
    return Proved(digest(path), weaker_than_primary(path, identity), no_wider(path, identity))


def decide_ask(
    path: Path,
    identity: Identity,
    requester: IdentityName,
    cause: Cause,
    estate: Estate,
    past: Past,
    now: datetime,
    window: Window | None = None,
) -> MayAsk | Refusal:
    """Decide whether this person may ask for this path for this cause.

    Args:
        window: when a rotation is planned; `None` where none was said.
    """
    rotates = cause is Cause.PLANNED_ROTATION
    breaches = (
        *declared_cause(path, identity, cause),
        *not_ended(path, now),
        *may_ask_for(path, identity, requester, estate),
        *not_blocked(path, due=past.due, overdue=past.overdue, unsettled=past.unsettled),
        *(announced(path, window, now) if rotates else ()),
    )
    if breaches:
        return Refusal(breaches)
    if rotates and window is not None:
        return MayAsk(min(window.until, path.until), digest(path))
    within = path.approvals.within if path.approvals is not None else path.limits.ttl
    return MayAsk(min(now + within, path.until), digest(path))


def decide_approval(
    path: Path,
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    subject: Digest,
    estate: Estate,
    now: datetime,
    key: ActingKey | None = None,
) -> MayApprove | Refusal:
    """Decide whether `by` may approve or deny exactly this request.

    Args:
        key: what a yes is given with; `None` where a no is given, which any key may.
    """
    breaches = may_decide(path, ask, approvals, by, subject, estate, now)
    if key is not None:
        breaches = (*breaches, *may_approve_with(path, ask, approvals, by, key, now))
    if breaches or path.approvals is None:
        return Refusal(breaches)
    return MayApprove(by, subject, path.approvals.need, key)


def decide_opening(
    path: Path,
    identity: Identity,
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    estate: Estate,
    past: Past,
    facts: Facts,
    now: datetime,
    proved: Proved | None = None,
) -> MayOpen | Refusal:
    """Decide whether the path opens now: all seven laws.

    Args:
        path: as declared now; must be what the approvers saw.
        by: who activates; only the requester may, or the identity where its primary is presented.
        proved: `prove(path, identity)` where the caller has it; worked out here otherwise.
    """
    known = prove(path, identity) if proved is None else proved
    shut = front_door_shut(
        path,
        identity,
        ask,
        observation=facts.observation,
        drilled_at=past.drilled_at,
        now=now,
    )
    breaches = (
        *_as_asked(path, ask, by, known.declaration),
        *(() if waived(path, now) else known.weaker),
        *presented_as_declared(path, identity, facts.presented),
        *known.wider,
        *not_ended(path, now),
        *declared_cause(path, identity, ask.cause),
        *((shut,) if isinstance(shut, Breach) else ()),
        *not_blocked(path, due=past.due, overdue=past.overdue, unsettled=past.unsettled),
        *may_ask_for(path, identity, by, estate),
        *enough_approvals(path, ask, approvals, estate),
        *conditions_hold(facts.missing),
    )
    if breaches or not isinstance(shut, Shut):
        return Refusal(breaches)
    return MayOpen(
        by,
        hard_end(path, now, ask.evidence.window),
        path.limits.uses,
        granted_authority(path, identity),
        shut.proof,
        conditions(path, identity),
        None if facts.primary is None else _replaced(facts.primary, identity, estate),
    )


def _replaced(seen: CertificateFacts, identity: Identity, estate: Estate) -> Replaced:
    pin = identity.primary.known_by
    trust = None if pin is None else estate.trust.get(pin.trust)
    authorities = trust.authorities if isinstance(trust, CertificateTrust) else frozenset()
    return Replaced(seen.fingerprint, seen.serial, seen.not_before, pin, authorities)


def decide_review(
    path: Path,
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    verdict: Verdict,
    estate: Estate,
    key: ActingKey,
    now: datetime,
) -> MayReview | Refusal:
    """Decide whether `by`, acting with `key`, may judge this grant."""
    breaches = may_judge(path, ask, approvals, by, estate, key, now)
    if breaches:
        return Refusal(breaches)
    return MayReview(by, verdict)


def _as_asked(path: Path, ask: Ask, by: IdentityName, declaration: Digest) -> tuple[Breach, ...]:
    breaches: list[Breach] = []
    if by != ask.requester and not (opened_by_identity(path) and by == path.name.identity):
        breaches.append(
            Breach(
                Law.NO_ONE_ALONE,
                f"{ask.requester} asked for this, and {by} cannot open it.",
                f"Have {path.name.identity} activate it with its primary."
                if opened_by_identity(path)
                else f"Have {ask.requester} activate it, or make a request of your own.",
            )
        )
    if declaration != ask.declaration:
        breaches.append(
            Breach(
                Law.NO_ONE_ALONE,
                f"The declaration of {path.name} changed after the request was made.",
                "Ask anew, so that what is approved is what is opened.",
            )
        )
    return tuple(breaches)
