"""Between values and columns: instants, states and what is derived from a state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from locum.model.digest import canonical
from locum.model.names import IdentityName
from locum.model.request import (
    Closed,
    Open,
    Ready,
    Requested,
    Reviewed,
    State,
    ask_of,
    grant_of,
    name_of,
    settled,
)
from locum.store.records import CallerKey, Row, Task, Token

Value = str | int | bytes | bool | None
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_states: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)


def micros(at: datetime) -> int:
    """An instant as microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The instant of so many microseconds since 1970 UTC."""
    return _EPOCH + value * _MICROSECOND


def maybe(value: int | None) -> datetime | None:
    """The instant, where there is one."""
    return None if value is None else instant(value)


def state_columns(state: State) -> tuple[Value, ...]:
    """state, grant_id, due_at, review_due, closed_at, unsettled, body: what an act may change."""
    ask, grant = ask_of(state), grant_of(state)
    due = review = closed = None
    match state:
        case Requested() | Ready():
            due = micros(ask.lapses_at)
        case Open():
            due = micros(state.grant.ends_at)
        case Closed():
            review, closed = micros(state.review_due), micros(state.at)
        case Reviewed():
            closed = micros(state.closed.at)
        case _:
            pass
    return (
        name_of(state),
        None if grant is None else grant.id,
        due,
        review,
        closed,
        closed is not None and not settled(state),
        canonical(state),
    )


def row(version: int, body: bytes) -> Row:
    """A request's row."""
    return Row(_states.decode(body), version)


def caller_key(values: tuple[str, str, bytes, int, int, str, int | None, str]) -> CallerKey:
    """A caller's key from its columns."""
    jkt, identity, jwk, registered, expires, conditions, revoked, invited_by = values
    return CallerKey(
        jkt,
        IdentityName(identity),
        bytes(jwk),
        instant(registered),
        instant(expires),
        split(conditions),
        maybe(revoked),
        identities(invited_by),
    )


def token(values: tuple[bytes, str, str, str, int, int, int | None]) -> Token:
    """A leased token from its columns."""
    token_hash, grant, identity, jkt, issued, expires, revoked = values
    return Token(
        bytes(token_hash),
        grant,  # type: ignore[arg-type]
        IdentityName(identity),
        jkt,
        instant(issued),
        instant(expires),
        maybe(revoked),
    )


def task(values: tuple[int, str, bytes, str, int, int, int, str]) -> Task:
    """A task from its columns."""
    number, kind, payload, subject, created, due, attempts, error = values
    return Task(
        kind, bytes(payload), instant(created), instant(due), subject, number, attempts, error
    )


def identities(names: str) -> frozenset[IdentityName]:
    """Identities from the text that `joined` makes of them."""
    return frozenset(IdentityName(name) for name in names.split())


def joined(conditions: frozenset[str] | frozenset[IdentityName]) -> str:
    """Conditions or identities as one text; none of them has white space."""
    return " ".join(sorted(conditions))


def split(conditions: str) -> frozenset[str]:
    """Conditions from their text."""
    return frozenset(conditions.split())
