"""Who is told of an act, and what: approvers, owners, reviewers, and the identity itself.

`notify` works out the recipients and makes one `send` task for each, so that one address that does
not answer does not hold up the others, nor tells anybody twice.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from locum.model.estate import Estate
from locum.model.names import GroupName, RequestId
from locum.model.path import Path
from locum.model.request import Closed, Requested, State, ask_of, grant_of, name_of
from locum.service.record import declared_then, request_row
from locum.service.wiring import Locum
from locum.signals.notice import Notice, send
from locum.store.port import Transaction
from locum.store.records import Task


class _About(msgspec.Struct):
    act: str


class _Letter(msgspec.Struct):
    to: str
    notice: Notice


def notify(locum: Locum, task: Task) -> None:
    """Work out who is to be told of an act, and queue a letter to each."""
    about = msgspec.json.decode(task.payload, type=_About)

    def whole(transaction: Transaction) -> None:
        row = request_row(transaction, RequestId(task.subject))
        path = declared_then(locum, transaction, ask_of(row.state).declaration)
        if _outdated(about.act, row.state):
            return
        notice = _notice(about.act, row.state, path)
        now = locum.clock()
        for to in sorted(_recipients(about.act, path, locum.estate.now)):
            letter = msgspec.json.encode(_Letter(to, notice))
            transaction.enqueue(Task("send", letter, now, now, task.subject))

    locum.store.act(whole).result()


def send_letter(locum: Locum, task: Task) -> None:
    """Send one letter."""
    letter = msgspec.json.decode(task.payload, type=_Letter)
    send(letter.notice, letter.to, locum.mail)


def _outdated(act: str, state: State) -> bool:
    if act == "request.escalated":
        return not isinstance(state, Requested)
    if act == "review.overdue":
        return not isinstance(state, Closed)
    return False


def _recipients(act: str, path: Path, estate: Estate) -> set[str]:
    groups: list[GroupName] = []
    if act == "request.made" and path.approvals is not None:
        groups.append(path.approvals.of)
    if act == "request.escalated" and path.approvals is not None and path.approvals.escalate:
        groups.append(path.approvals.escalate.to)
    if act in ("grant.closed", "review.overdue"):
        groups.append(path.review.by)
    found = set(_addresses(groups, estate))
    if act in ("grant.opened", "grant.closed", "review.overdue", "grant.reviewed"):
        identity = estate.identities.get(path.name.identity)
        found |= set(identity.notify) if identity is not None else set()
        found |= {f"mailto:{path.owner}"} if "@" in path.owner else set()
    return found


def _addresses(groups: Iterable[GroupName], estate: Estate) -> Iterable[str]:
    for group in groups:
        for member in estate.members(group):
            yield from estate.identities[member].notify


_WORDS = {
    "request.made": "asks for approval",
    "request.escalated": "still waits for approval",
    "grant.opened": "is open",
    "grant.closed": "is closed, and its review is due",
    "review.overdue": "is not reviewed in time, and blocks its path",
    "grant.reviewed": "was reviewed",
}


def _notice(act: str, state: State, path: Path) -> Notice:
    ask, grant = ask_of(state), grant_of(state)
    what = _WORDS.get(act, act)
    facts = {
        "path": str(path.name),
        "cause": ask.cause.value,
        "request": ask.id,
        "grant": "" if grant is None else grant.id,
        "state": name_of(state),
        "requester": ask.requester,
        "digest": ask.digest(),
    }
    lines = [
        f"{path.name} {what}.",
        "",
        *(f"{name}: {value}" for name, value in facts.items() if value),
        f"reason: {ask.reason}",
        "",
        "Look at it with `locum status`. If this should not be, close it:"
        f" `locum close {facts['grant'] or 'GRANT'}`, and tell {path.owner}.",
    ]
    return Notice(f"[Locum] {path.name} {what}", "\n".join(lines), facts)
