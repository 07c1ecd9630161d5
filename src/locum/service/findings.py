"""How every path stands now: what the laws find in the estate, and what the record adds to it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from locum.laws.declaration import Finding, judge_estate, judge_rehearsal
from locum.laws.never_unseen import not_blocked
from locum.laws.no_weaker import path_strength, primary_strength
from locum.model.cause import Cause
from locum.model.names import GrantId, PathName, RequestId
from locum.model.path import Path
from locum.model.refusal import Breach, Law
from locum.model.request import Closed, CloseReason, ask_of
from locum.model.strength import Strength
from locum.service.notices import GIVEN_UP_AFTER, SET_MAIL, mail_addresses
from locum.service.record import past_of
from locum.service.wiring import Locum
from locum.store.port import Transaction


class Standing(msgspec.Struct, frozen=True):
    """One path as it stands."""

    strength: Strength
    primary_strength: Strength
    blocked: tuple[Breach, ...]
    rehearsal: tuple[Finding, ...]

    @property
    def drill_due(self) -> bool:
        """Whether the path is to be rehearsed."""
        return bool(self.rehearsal)


def standing_of(locum: Locum, transaction: Transaction, path: Path) -> Standing:
    """How one path stands."""
    now, estate = locum.clock(), locum.estate.now
    past = past_of(transaction, path.name, now)
    identity = estate.identities[path.name.identity]
    return Standing(
        path_strength(path, identity),
        primary_strength(identity),
        not_blocked(path, due=past.due, overdue=past.overdue, unsettled=past.unsettled),
        judge_rehearsal(path, past.drilled_at, now),
    )


def findings(locum: Locum, transaction: Transaction) -> tuple[Finding, ...]:
    """Everything that is wrong now, the estate's findings first."""
    found = list(judge_estate(locum.estate.now, locum.clock()))
    for path in locum.estate.now.paths():
        standing = standing_of(locum, transaction, path)
        found += [Finding(path.name, breach, "error") for breach in standing.blocked]
        found += standing.rehearsal
        found += _unfinished(transaction, path, locum.clock())
        found += _unsent(locum, path)
    found += _put_off(transaction)
    return tuple(found)


def _unfinished(transaction: Transaction, path: Path, now: datetime) -> list[Finding]:
    """Rotations whose window passed without the new primary being seen in use."""
    if Cause.PLANNED_ROTATION not in path.causes:
        return []
    found = []
    for grant in past_of(transaction, path.name, now).due:
        row = transaction.request_of(GrantId(grant))
        if row is None or not isinstance(row.state, Closed):
            continue
        if row.state.how is CloseReason.EXPIRED and row.state.grant.replaces is not None:
            breach = Breach(
                Law.ONLY_WHEN_SHUT,
                f"The rotation of {grant} did not finish: its backup ended at "
                f"{row.state.at.isoformat()}, and no new primary was seen in use.",
                "See which certificate is served; announce another window and finish the rotation.",
                "closes",
                ("NHI7", "EVT-5"),
            )
            found.append(Finding(path.name, breach, "error"))
    return found


def _unsent(locum: Locum, path: Path) -> list[Finding]:
    """That nobody is mailed about a path, where somebody should be."""
    addresses = len(mail_addresses(path, locum.estate.now)) if locum.mail is None else 0
    if not addresses:
        return []
    fact = (
        f"No mail server is set: {addresses} mail address{'es' if addresses > 1 else ''} will not "
        f"be told of this path, and each notice is given up after {GIVEN_UP_AFTER.days * 24} h."
    )
    breach = Breach(Law.NEVER_UNSEEN, fact, SET_MAIL, "notify", ("REC-12", "BG-E4"))
    return [Finding(path.name, breach, "warning")]


def _put_off(transaction: Transaction) -> list[Finding]:
    """What the outbox could not do yet, the same trouble of one path told once."""
    attempts: dict[tuple[PathName, str, str], int] = {}
    for task in transaction.waiting_tasks(200):
        row = transaction.request(RequestId(task.subject))
        if row is not None:
            trouble = (ask_of(row.state).path, task.kind, task.last_error)
            attempts[trouble] = max(attempts.get(trouble, 0), task.attempts)
    return [
        Finding(path, _waiting(kind, times, error), "error")
        for (path, kind, error), times in attempts.items()
    ]


def _waiting(kind: str, attempts: int, error: str) -> Breach:
    return Breach(
        Law.NEVER_UNSEEN,
        f"`{kind}` failed {attempts} times and is tried again: {error}",
        "Mend what it says; nothing is given up.",
    )
