"""Law 5 at work: a state change, its ledger entry and its tasks are kept together.

Every verb that changes a request goes through `keep`; there is no other way to save one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from locum.issue.authority_openbao import OpenBaoAuthority
from locum.laws.life_cycle import Moved
from locum.laws.no_one_alone import opened_by_identity
from locum.laws.opening import Past
from locum.laws.permits import Refusal
from locum.ledger.entry import Entry, commitment, encode, of_refusal, of_state
from locum.model.digest import canonical
from locum.model.methods import FALLBACKS
from locum.model.names import Digest, GrantId, PathName, RequestId
from locum.model.path import Path, PostgresqlRole, StaticSecret
from locum.model.refusal import NotFound, StorageError
from locum.model.request import (
    Closed,
    Open,
    State,
    ask_of,
    grant_of,
    settled,
)
from locum.service.caller import Caller
from locum.service.notices import letters, reminders
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import Row, Task

_paths = msgspec.json.Decoder(Path)
SALT = 16


def keep(
    locum: Locum,
    transaction: Transaction,
    moved: Moved,
    path: Path,
    now: datetime,
    *,
    was: Row | None,
    caller: Caller | None,
    words: str = "",
    facts: Mapping[str, str | int | bool | list[str]] | None = None,
) -> Row:
    """Keep a new state with its ledger entry and the tasks that follow from it.

    Args:
        was: the row that the state was decided from; `None` for a new request.
        caller: who acted; `None` where Locum acts by itself.
        words: what a person wrote; committed to by the entry, kept apart.

    Returns:
        The row as it stands now.

    Raises:
        Conflict: somebody else changed it first, or its exclusive claim is held.
    """
    state = moved.state
    version = 1 if was is None else was.version + 1
    if was is None:
        transaction.add_request(state)
    else:
        transaction.save_request(state, was.version, claim_of(state, path))
    committed = ""
    if words:
        salt = locum.rng(SALT)
        committed = commitment(salt, words)
        transaction.disclose(committed, salt, words)
    entry = of_state(
        moved.act,
        state,
        version,
        now,
        actor="" if caller is None else caller.identity,
        key="" if caller is None else caller.jkt,
        words=committed,
        facts=facts,
    )
    transaction.append(encode(entry))
    for task in _tasks(locum, moved, path, now):
        transaction.enqueue(task)
    return Row(state, version)


def record(transaction: Transaction, entry: Entry) -> None:
    """Record an act that changes no request."""
    transaction.append(encode(entry))


def record_refusal(
    transaction: Transaction,
    refusal: Refusal,
    subject: str,
    path: PathName,
    caller: Caller,
    now: datetime,
) -> None:
    """Record that the laws refused an act: an attempt is never unseen either."""
    entry = of_refusal(
        subject, refusal.breaches, now, actor=caller.identity, key=caller.jkt, path=str(path)
    )
    transaction.append(encode(entry))


def claim_of(state: State, path: Path) -> str | None:
    """What only one live grant may hold: the target that it opens, by whatever path."""
    live = isinstance(state, Open) or (grant_of(state) is not None and not settled(state))
    if not live or not any(FALLBACKS[name].exclusive for name in path.methods if name in FALLBACKS):
        return None
    return target_claim(path)


def target_claim(path: Path) -> str:
    """The name under which the path's target is claimed."""
    match path.target:
        case PostgresqlRole(role, database):
            return f"postgresql-role:{database}/{role}"
        case StaticSecret(name):
            return f"static:{name}"
        case None:
            return f"path:{path.name}"


def declared_then(locum: Locum, transaction: Transaction, declaration: Digest) -> Path:
    """The path as it was declared when the request was made, whatever the estate says now.

    Raises:
        StorageError: the store does not hold it, which its own rules make impossible.
    """
    known = locum.declarations.get(declaration)
    if known is None:
        body = transaction.declaration(declaration)
        if body is None:
            raise StorageError(
                f"The declaration {declaration} is missing from the store.",
                "Restore the store from a backup and verify the ledger.",
            )
        known = locum.declarations.setdefault(declaration, _paths.decode(body))
    return known


def declare(transaction: Transaction, path: Path, declaration: Digest) -> None:
    """Keep a declaration beside the request that was made under it."""
    transaction.declare(declaration, canonical(path))


def past_of(transaction: Transaction, path: PathName, now: datetime) -> Past:
    """What earlier grants of a path say about opening it again."""
    facts = transaction.path_facts(path, now)
    return Past(facts.due, facts.overdue, facts.unsettled, facts.drilled_at)


def request_row(transaction: Transaction, request: RequestId) -> Row:
    """The request, or `NotFound`."""
    row = transaction.request(request)
    if row is None:
        raise NotFound(f"There is no request {request}.", "List them: `locum status`.")
    return row


def grant_row(transaction: Transaction, grant: GrantId) -> Row:
    """The request that became this grant, or `NotFound`."""
    row = transaction.request_of(grant)
    if row is None:
        raise NotFound(f"There is no grant {grant}.", "List them: `locum status`.")
    return row


def settled_later(locum: Locum, path: Path) -> bool:
    """Whether something outside holds what the path yields, and is told of its end by a task."""
    elsewhere = opened_by_identity(path) and isinstance(locum.authority, OpenBaoAuthority)
    return path.target is not None or elsewhere


def _tasks(locum: Locum, moved: Moved, path: Path, now: datetime) -> tuple[Task, ...]:
    estate = locum.estate.now
    state, request = moved.state, ask_of(moved.state).id
    tasks: list[Task] = [
        *letters(moved.act, state, path, estate, now),
        *reminders(moved.act, state, path, now),
    ]
    if settled_later(locum, path):
        if path.target is not None and isinstance(state, Open) and state.used:
            tasks.append(Task("sweep", b"{}", now, state.grant.ends_at, request))
        if isinstance(state, Closed) and moved.act == "grant.closed":
            tasks.append(Task("settle", b"{}", now, now, request))
    return tuple(tasks)
