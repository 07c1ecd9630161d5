"""Who is told of an act, and what: approvers, owners, reviewers, and the identity itself.

Each address has a task of its own, kept with the act that it tells of, so that one that does not
answer does not hold up the others. What is told later is a task that looks again when it is due.
A mail that no server is set for waits a day for one, and then ends on the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from locum.ledger.entry import Entry, encode
from locum.model.digest import canonical
from locum.model.estate import Estate, Identity
from locum.model.names import GroupName, IdentityName, RequestId
from locum.model.path import Path
from locum.model.request import (
    Closed,
    Open,
    Ready,
    Requested,
    State,
    ask_of,
    grant_of,
    name_of,
)
from locum.service.wiring import Locum
from locum.signals.notice import Notice, send
from locum.store.port import Transaction
from locum.store.records import Task

GIVEN_UP_AFTER = timedelta(hours=24)
"""How long a mail waits for a mail server to be set."""

SET_MAIL = "Set `[mail]` in locum.toml, or name webhooks instead."


class _About(msgspec.Struct):
    act: str


class _Letter(msgspec.Struct):
    to: str
    notice: Notice


def letters(act: str, state: State, path: Path, estate: Estate, now: datetime) -> tuple[Task, ...]:
    """One task for each address that is to be told of an act."""
    to = _recipients(act, path, estate)
    if not to:
        return ()
    notice = _notice(act, state, path)
    subject = ask_of(state).id
    return tuple(
        Task("send", msgspec.json.encode(_Letter(one, notice)), now, now, subject)
        for one in sorted(to)
    )


def key_letters(
    person: Identity, jkt: str, source: str, invited_by: frozenset[IdentityName], now: datetime
) -> tuple[Task, ...]:
    """Tell a person, on every address, that a key was registered in their name (EVT-2, REC-12)."""
    facts = {
        "identity": person.name,
        "key": jkt,
        "invited by": ", ".join(sorted(invited_by)) or "the operator",
        "source": source,
        "at": now.isoformat(),
    }
    text = "\n".join(
        [
            f"A key was registered in the name of {person.name}.",
            "",
            *(f"{name}: {value}" for name, value in facts.items()),
            "",
            "If this was not you, tell another administrator at once; they revoke it with"
            f" `locum keys --revoke {jkt}`. It speaks for its inviter too for 72 hours, and then"
            " for you alone.",
        ]
    )
    notice = Notice(f"[Locum] a key was registered for {person.name}", text, facts)
    return tuple(
        Task("send", msgspec.json.encode(_Letter(to, notice)), now, now) for to in person.notify
    )


def reminders(act: str, state: State, path: Path, now: datetime) -> tuple[Task, ...]:
    """What is to be told later, unless it is outdated by then."""
    subject = ask_of(state).id
    if act == "request.made" and path.approvals is not None and path.approvals.escalate:
        due = now + path.approvals.escalate.after
        return (Task("notify", canonical({"act": "request.escalated"}), now, due, subject),)
    if act == "grant.closed" and isinstance(state, Closed):
        late = canonical({"act": "review.overdue"})
        return (Task("notify", late, now, state.review_due, subject),)
    return ()


def notify(locum: Locum, task: Task) -> None:
    """Tell what was put off, if it still holds."""
    about = msgspec.json.decode(task.payload, type=_About)

    def whole(transaction: Transaction) -> None:
        row = transaction.request(RequestId(task.subject))
        if row is None or _outdated(about.act, row.state):
            return
        body = transaction.declaration(ask_of(row.state).declaration)
        if body is not None:
            path = msgspec.json.decode(body, type=Path)
            for letter in letters(about.act, row.state, path, locum.estate.now, locum.clock()):
                transaction.enqueue(letter)

    locum.store.act(whole).result()


def send_letter(locum: Locum, task: Task) -> None:
    """Send one letter; one that no mail server was set for in time is given up, and recorded."""
    letter = msgspec.json.decode(task.payload, type=_Letter)
    now = locum.clock()
    if locum.mail is None and _is_mail(letter.to) and now >= task.created_at + GIVEN_UP_AFTER:
        entry = Entry(
            "notice.undeliverable",
            now,
            subject=task.subject,
            # Not the address: the ledger is public.
            facts={"notice": letter.notice.subject, "since": task.created_at.isoformat()},
        )

        def give_up(transaction: Transaction) -> None:
            transaction.append(encode(entry))
            transaction.finish_task(task.id)

        locum.store.act(give_up).result()
        return
    send(letter.notice, letter.to, locum.mail)


def mail_addresses(path: Path, estate: Estate) -> frozenset[str]:
    """The mail addresses that are written to about a path, whatever happens to it."""
    told = set[str]().union(*(_recipients(act, path, estate) for act in _WORDS))
    return frozenset(to for to in told if _is_mail(to))


def mail_missing(locum: Locum) -> int:
    """How many mail addresses would be written to and cannot, as no mail server is set."""
    if locum.mail is not None:
        return 0
    estate = locum.estate.now
    told = {to for path in estate.paths() for to in mail_addresses(path, estate)}
    told |= {to for one in estate.identities.values() for to in one.notify if _is_mail(to)}
    return len(told)


def _is_mail(to: str) -> bool:
    return to.startswith("mailto:")


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
        "until": _until(state),
    }
    lines = [
        f"{path.name} {what}.",
        "",
        *(f"{name}: {value}" for name, value in facts.items() if value),
        f"reason: {ask.reason}",
        "",
        *_what_to_do(act, facts),
        "Look at it with `locum status`. If this should not be, close it:"
        f" `locum close {facts['grant'] or 'GRANT'}`, and tell {path.owner}.",
    ]
    return Notice(f"[Locum] {path.name} {what}", "\n".join(lines), facts)


def _until(state: State) -> str:
    """When the state ends by itself, or what is due; nothing where nothing is."""
    match state:
        case Requested() | Ready():
            return ask_of(state).lapses_at.isoformat()
        case Open():
            return state.grant.ends_at.isoformat()
        case Closed():
            return state.review_due.isoformat()
        case _:
            return ""


def _what_to_do(act: str, facts: dict[str, str]) -> tuple[str, ...]:
    if act in ("request.made", "request.escalated"):
        return (f"Decide: `locum approve {facts['request']}`, or `locum deny` it.",)
    if act in ("grant.closed", "review.overdue"):
        judge = f"locum review {facts['grant']} --verdict drill|emergency|misuse --comment …"
        return (f"Judge it: `{judge}`.",)
    return ()
