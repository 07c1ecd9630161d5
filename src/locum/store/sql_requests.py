"""Requests and grants in SQL: their states, what is due, and the past of a path."""

from __future__ import annotations

from datetime import datetime

from locum.model.names import Digest, GrantId, PathName, RequestId
from locum.model.refusal import MalformedInput
from locum.model.request import State, ask_of
from locum.store import columns
from locum.store.columns import micros
from locum.store.records import (
    Outcome,
    PathFacts,
    Row,
)
from locum.store.statements import On, taken_by_another

_NAMED = 20  # as many grants are named in a refusal


def request(on: On, request: RequestId) -> Row | None:
    """The request, locked."""
    found = on.run("SELECT version, body FROM requests WHERE id = ?{lock}", request)
    return columns.row(*found[0]) if found else None


def request_of(on: On, grant: GrantId) -> Row | None:
    """The request that became this grant, locked."""
    found = on.run("SELECT version, body FROM requests WHERE grant_id = ?{lock}", grant)
    return columns.row(*found[0]) if found else None


def add_request(on: On, state: State) -> None:
    """Keep a new request."""
    ask = ask_of(state)
    added = on.run(
        "INSERT INTO requests (id, version, path, cause, state, grant_id, due_at, review_due,"
        " closed_at, unsettled, body) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        ask.id,
        str(ask.path),
        ask.cause.value,
        *columns.state_columns(state),
    )
    if not added:
        raise taken_by_another("The request")


def save_request(on: On, state: State, version: int, claim: str | None) -> None:
    """Replace the request's state if it still has `version`."""
    saved = on.run(
        "UPDATE requests SET state = ?, grant_id = ?, due_at = ?, review_due = ?,"
        " closed_at = ?, unsettled = ?, body = ?, claim = ?, version = version + 1"
        " WHERE id = ? AND version = ? RETURNING 1",
        *columns.state_columns(state),
        claim,
        ask_of(state).id,
        version,
    )
    if not saved:
        raise taken_by_another("The request")


def requests(
    on: On,
    *,
    grants_only: bool = False,
    state: str | None = None,
    path: PathName | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Outcome:
    """Requests newest first; ids sort by time, and the cursor is the last id given."""
    where, values = ["1 = 1"], []
    if cursor is not None and not (cursor.startswith("rq_") and len(cursor) <= 64):
        raise MalformedInput("The cursor was not given out here.", "Begin without one.")
    if state == "open":
        where.append("state = 'open'")  # as a constant, so that the index of open ones serves
    for condition, value in (
        ("state = ?", None if state == "open" else state),
        ("path = ?", None if path is None else str(path)),
        ("id < ?", cursor),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    if grants_only:
        where.append("grant_id IS NOT NULL")
    found = on.run(
        f"SELECT id, version, body FROM requests WHERE {' AND '.join(where)}"
        " ORDER BY id DESC LIMIT ?",
        *values,
        limit + 1,
    )
    rows = tuple(columns.row(version, body) for _, version, body in found[:limit])
    return Outcome(rows, found[limit - 1][0] if len(found) > limit else None)


def due(on: On, now: datetime, limit: int) -> tuple[RequestId, ...]:
    """Requests that time alone changes by `now`."""
    found = on.run(
        "SELECT id FROM requests WHERE due_at <= ? ORDER BY due_at LIMIT ?", micros(now), limit
    )
    return tuple(RequestId(one) for (one,) in found)


def open_grants(on: On) -> tuple[Row, ...]:
    """Every open grant."""
    found = on.run("SELECT version, body FROM requests WHERE state = 'open'")
    return tuple(columns.row(*one) for one in found)


def path_facts(on: On, path: PathName, now: datetime) -> PathFacts:
    """What the past of a path says about opening it again."""
    name, at = str(path), micros(now)
    standing = on.run(
        "SELECT grant_id, review_due, unsettled FROM requests"
        " WHERE path = ? AND (review_due IS NOT NULL OR unsettled)",
        name,
    )
    drilled = on.run("SELECT max(closed_at) FROM requests WHERE path = ? AND cause = 'drill'", name)
    due = sorted((ends, one) for one, ends, _ in standing if ends is not None)
    unsettled = sorted(one for one, _, still in standing if still)
    return PathFacts(
        unsettled=tuple(GrantId(one) for one in unsettled[:_NAMED]),
        due=tuple(GrantId(one) for _, one in due[:_NAMED]),
        overdue=tuple(GrantId(one) for ends, one in due[:_NAMED] if ends <= at),
        drilled_at=columns.maybe(drilled[0][0]),
    )


def declare(on: On, declaration: Digest, body: bytes) -> None:
    """Keep a path's declaration under its digest."""
    on.run(
        "INSERT INTO declarations (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
        declaration,
        body,
    )


def declaration(on: On, declaration: Digest) -> bytes | None:
    """The declaration of that digest."""
    found = on.run("SELECT body FROM declarations WHERE digest = ?", declaration)
    return bytes(found[0][0]) if found else None
