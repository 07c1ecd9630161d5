"""Law 6, no one alone.

Requester, approvers and reviewer are different people. An approver counts once, whatever groups
they are in. An approval binds the digest of exactly what is asked. Where approvals are declared
there is at least one. Somebody who cannot be found in the estate is nobody: no separation of
duties is passed by being unknown. Nobody bypasses, administrators included.

Whoever invites a key may hold it in another's name. The person is told of it and can object, so a
key that is younger than 72 hours speaks for its inviter too: what is approved or reviewed with it
does not count where the inviter is the requester or has approved.
Source: design §2; BG-P1; SP 800-53r5 AC-5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from locum.model.estate import Estate, Identity
from locum.model.methods import FALLBACKS
from locum.model.names import Digest, GroupName, IdentityName
from locum.model.path import Approvals, Path
from locum.model.refusal import Breach, Law
from locum.model.request import ActingKey, Approval, Ask

OBJECTING = timedelta(hours=72)
"""How long somebody has to object to a key that was registered in their name."""


def who_may_ask(path: Path) -> GroupName | None:
    """The group whose members may ask; `None` means the identity itself."""
    if path.requesters is not None:
        return path.requesters
    return path.approvals.of if path.approvals is not None else None


def opened_by_identity(path: Path) -> bool:
    """Whether the identity itself opens the path, by the primary that still works."""
    return any(FALLBACKS[name].by_primary for name in path.methods if name in FALLBACKS)


def enough_people(path: Path, identity: Identity, estate: Estate) -> tuple[Breach, ...]:
    """Law 6 at declaration: whoever asks, enough others can approve and one more can review."""
    breaches: list[Breach] = []
    group = who_may_ask(path)
    requesters = estate.members(group) if group is not None else frozenset({identity.name})
    reviewers = estate.members(path.review.by)
    if group is not None and not requesters:
        breaches.append(_breach(f"Nobody in {group} may ask.", "Add people to it.", "requesters"))
    if path.approvals is not None and path.approvals.need < 1:
        breaches.append(
            _breach("`approvals.need` is below 1.", "Set it to 1 or more.", "approvals.need")
        )
        return tuple(breaches)
    need = path.approvals.need if path.approvals is not None else 0
    approvers = estate.members(path.approvals.of) if path.approvals is not None else frozenset()
    for requester in sorted(requesters):
        others = approvers - {requester}
        if len(others) < need:
            breaches.append(
                _breach(
                    f"If {requester} asks, {len(others)} can approve and {need} must.",
                    f"Add people to {path.approvals.of if path.approvals else ''}.",
                    "approvals.need",
                )
            )
        elif not any(len(others - {judge}) >= need for judge in reviewers - {requester}):
            breaches.append(
                _breach(
                    f"If {requester} asks, nobody is left in {path.review.by} to review.",
                    f"Add somebody to {path.review.by} who neither asks nor approves.",
                    "review.by",
                )
            )
    return tuple(breaches)


def may_ask_for(
    path: Path, identity: Identity, requester: IdentityName, estate: Estate
) -> tuple[Breach, ...]:
    """The requester is somebody, and one of those who may ask."""
    group = who_may_ask(path)
    person = estate.identities.get(requester)
    allowed = requester == identity.name and (group is None or opened_by_identity(path))
    if group is not None:
        allowed = allowed or requester in estate.members(group)
    if person is not None and not person.disabled and allowed:
        return ()
    return (
        _breach(
            f"{requester} is not among those who may ask for {path.name}.",
            f"Have somebody of {group} ask." if group else f"Only {identity.name} may ask.",
            "requesters",
        ),
    )


def may_decide(
    path: Path,
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    digest: Digest,
    estate: Estate,
    now: datetime,
) -> tuple[Breach, ...]:
    """Decide whether `by` may approve or deny exactly this request.

    Args:
        approvals: those given before.
        digest: what the decider says they decide about.
    """
    rule = path.approvals
    if rule is None:
        return (_breach(f"{path.name} asks for no approvals.", "Activate it.", "approvals"),)
    if by == ask.requester:
        return (
            _breach(
                f"{by} made this request and cannot decide about it.",
                f"Have somebody else of {rule.of} decide.",
                "approvals",
            ),
        )
    if not _is_approver(rule, ask, by, estate, now):
        return (
            _breach(
                f"{by} is not among the approvers of {path.name}.",
                f"Have somebody of {rule.of} decide.",
                "approvals.of",
            ),
        )
    if any(approval.by == by for approval in approvals):
        return (
            _breach(
                f"{by} has approved already; an approver counts once.",
                f"Have another one of {rule.of} decide.",
                "approvals.need",
            ),
        )
    if digest != ask.digest():
        return (
            _breach(
                "The digest is not that of this request.",
                "Look at the request again and approve the digest that it shows.",
                "approvals",
            ),
        )
    return ()


def behind(key: ActingKey, at: datetime) -> frozenset[IdentityName]:
    """Who may be acting with this key besides its owner: whoever invited it, while it is young."""
    return key.invited_by if at < key.registered_at + OBJECTING else frozenset()


def may_approve_with(
    path: Path,
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    key: ActingKey,
    now: datetime,
) -> tuple[Breach, ...]:
    """Decide whether a yes that `by` gives with `key` would count as another person's."""
    others = f"Have somebody else of {path.approvals.of if path.approvals else 'the approvers'}"
    breaches = _spoken_for(ask, approvals, by, key, now, f"{others} approve")
    mine = sorted(
        approval.by
        for approval in approvals
        if approval.key is not msgspec.UNSET and by in behind(approval.key, approval.at)
    )
    if mine:
        breaches += (
            _breach(
                f"{by} invited the key that {', '.join(mine)} approved with, less than 72 h "
                "before; the two count as one.",
                f"{others} approve, whom {by} did not invite.",
                "approvals",
            ),
        )
    return breaches


def _spoken_for(
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    key: ActingKey,
    now: datetime,
    instead: str,
) -> tuple[Breach, ...]:
    parties = {ask.requester, *(approval.by for approval in approvals)} - {by}
    return tuple(
        _breach(
            f"The key of {by} was invited by {inviter}, who "
            f"{'asks' if inviter == ask.requester else 'approved'}, less than 72 h ago.",
            f"{instead}; this key counts from {(key.registered_at + OBJECTING).isoformat()} on.",
            "approvals",
        )
        for inviter in sorted(behind(key, now) & parties)
    )


def _is_approver(rule: Approvals, ask: Ask, by: IdentityName, estate: Estate, at: datetime) -> bool:
    """Tell whether a yes that `by` gave at `at` counts by the groups of today."""
    if by in estate.members(rule.of):
        return True
    step = rule.escalate
    return step is not None and at >= ask.asked_at + step.after and by in estate.members(step.to)


def enough_approvals(
    path: Path, ask: Ask, approvals: Sequence[Approval], estate: Estate
) -> tuple[Breach, ...]:
    """Law 6 at opening: enough different people approved exactly this, and are still there."""
    if path.approvals is None:
        return ()
    digest = ask.digest()
    given = [
        approval
        for approval in approvals
        if approval.digest == digest
        and approval.by != ask.requester
        and _is_approver(path.approvals, ask, approval.by, estate, approval.at)
    ]
    parties = {ask.requester, *(approval.by for approval in given)}
    counted = {approval.by for approval in given if _own(approval, parties)}
    need = max(path.approvals.need, 1)
    if len(counted) >= need:
        return ()
    uncounted = sorted({approval.by for approval in given} - counted)
    why = (
        f" That of {', '.join(uncounted)} does not count: its key was invited by the requester or"
        " an approver less than 72 h before."
        if uncounted
        else ""
    )
    return (
        _breach(
            f"{len(counted)} of {need} approvals are given.{why}",
            f"Have {need - len(counted)} more of {path.approvals.of} approve "
            f"`{ask.id}` (digest {digest}).",
            "approvals.need",
        ),
    )


def _own(approval: Approval, parties: set[IdentityName]) -> bool:
    """Tell whether an approval is its giver's own; one that names no key cannot show it."""
    if approval.key is msgspec.UNSET:
        return False
    return not behind(approval.key, approval.at) & (parties - {approval.by})


def may_judge(
    path: Path,
    ask: Ask,
    approvals: Sequence[Approval],
    by: IdentityName,
    estate: Estate,
    key: ActingKey,
    now: datetime,
) -> tuple[Breach, ...]:
    """The reviewer is of the reviewers, and neither asked nor approved, nor by another's hand."""
    if by == ask.requester or any(approval.by == by for approval in approvals):
        role = "asked for" if by == ask.requester else "approved"
        return (
            _breach(
                f"{by} {role} this grant and cannot review it.",
                f"Have somebody else of {path.review.by} review it.",
                "review.by",
            ),
        )
    if by not in estate.members(path.review.by):
        return (
            _breach(
                f"{by} is not of {path.review.by}.",
                f"Have somebody of {path.review.by} review it.",
                "review.by",
            ),
        )
    instead = f"Have somebody else of {path.review.by} review it"
    return _spoken_for(ask, approvals, by, key, now, instead)


def _breach(fact: str, remedy: str, field: str) -> Breach:
    return Breach(Law.NO_ONE_ALONE, fact, remedy, field, ("BG-P1",))
