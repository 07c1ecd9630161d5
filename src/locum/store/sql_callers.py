"""Callers in SQL: invitations, keys, spent proofs, and the leased tokens they hold."""

from __future__ import annotations

from datetime import datetime

from locum.model.names import GrantId, IdentityName
from locum.model.refusal import StorageError
from locum.store import columns
from locum.store.columns import micros
from locum.store.records import (
    CallerKey,
    Invitation,
    Token,
)
from locum.store.statements import On, taken_by_another

_KEY = "jkt, identity, jwk, registered_at, expires_at, conditions, revoked_at, invited_by"
_SPAN = 300_000_000
"""Microseconds; longer than a proof may be sent, so that two spans hold every end that matters."""

_FORGOTTEN_AFTER = 60_000_000
"""Microseconds that clocks may differ, or be set back, and nobody be refused for it."""


def invite(on: On, invitation: Invitation) -> None:
    """Keep an invitation."""
    on.run(
        "INSERT INTO invitations (code_hash, identity, invited_by, created_at, expires_at,"
        " conditions) VALUES (?, ?, ?, ?, ?, ?)",
        invitation.code_hash,
        invitation.identity,
        columns.joined(invitation.invited_by),
        micros(invitation.created_at),
        micros(invitation.expires_at),
        columns.joined(invitation.conditions),
    )


def redeem(on: On, code_hash: bytes, now: datetime) -> Invitation | None:
    """Spend an invitation: one statement decides who was first."""
    found = on.run(
        "UPDATE invitations SET redeemed_at = ? WHERE code_hash = ? AND redeemed_at IS NULL"
        " AND expires_at > ? RETURNING identity, invited_by, created_at, expires_at,"
        " conditions",
        micros(now),
        code_hash,
        micros(now),
    )
    if not found:
        return None
    identity, by, created, expires, conditions = found[0]
    return Invitation(
        code_hash,
        IdentityName(identity),
        columns.identities(by),
        columns.instant(created),
        columns.instant(expires),
        columns.split(conditions),
    )


def withdraw_invitation(on: On, code_hash: bytes, now: datetime) -> bool:
    """End an invitation that is unspent and unexpired."""
    return bool(
        on.run(
            "UPDATE invitations SET redeemed_at = ? WHERE code_hash = ?"
            " AND redeemed_at IS NULL AND expires_at > ? RETURNING 1",
            micros(now),
            code_hash,
            micros(now),
        )
    )


def add_caller(on: On, key: CallerKey) -> None:
    """Register a key."""
    added = on.run(
        f"INSERT INTO callers ({_KEY}) VALUES (?, ?, ?, ?, ?, ?, NULL, ?)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        key.jkt,
        key.identity,
        key.jwk,
        micros(key.registered_at),
        micros(key.expires_at),
        columns.joined(key.conditions),
        columns.joined(key.invited_by),
    )
    if not added:
        raise taken_by_another("The key")


def caller(on: On, jkt: str) -> CallerKey | None:
    """The registered key of that thumbprint."""
    found = on.run(f"SELECT {_KEY} FROM callers WHERE jkt = ?", jkt)
    return columns.caller_key(found[0]) if found else None


def callers_of(on: On, identity: IdentityName) -> tuple[CallerKey, ...]:
    """Every key ever registered for an identity."""
    found = on.run(
        f"SELECT {_KEY} FROM callers WHERE identity = ? ORDER BY registered_at", identity
    )
    return tuple(columns.caller_key(one) for one in found)


def revoke_caller(on: On, jkt: str, now: datetime) -> None:
    """Revoke a key."""
    on.run(
        "UPDATE callers SET revoked_at = ? WHERE jkt = ? AND revoked_at IS NULL",
        micros(now),
        jkt,
    )


def claim_proof(on: On, jkt: str, jti: str, until: datetime, now: datetime) -> None:
    """Spend a DPoP proof's `jti`, unless it may be one that was forgotten already."""
    span = micros(now) // _SPAN
    claimed = on.run(
        "INSERT INTO proofs (jkt, jti, until) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM"
        " forgotten_proofs WHERE span >= ? AND span <= ? AND until >= ?)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        jkt,
        jti,
        micros(until),
        span,
        span + 1,
        micros(now),
    )
    if claimed:
        return
    if on.run("SELECT 1 FROM proofs WHERE jkt = ? AND jti = ?", jkt, jti):
        raise taken_by_another("The proof")
    raise StorageError(
        "The clock stands before what was forgotten already, as it was ahead once.",
        "If it is right now, wait: calls are taken again within minutes. Else set it right (NTP).",
    )


def forget_proofs(on: On, now: datetime, limit: int) -> int:
    """Delete spent proofs that are past their time, and remember how late their ends were.

    Were the clock ahead, they could be sent again once it is back; the ends say until when.
    """
    found = on.run(
        "DELETE FROM proofs WHERE (jkt, jti) IN (SELECT jkt, jti FROM proofs WHERE until <= ?"
        " LIMIT ?) RETURNING until",
        micros(now) - _FORGOTTEN_AFTER,
        limit,
    )
    latest: dict[int, int] = {}
    for (until,) in found:
        latest[until // _SPAN] = max(until, latest.get(until // _SPAN, until))
    for span, until in sorted(latest.items()):
        on.run(
            "INSERT INTO forgotten_proofs (span, until) VALUES (?, ?) ON CONFLICT (span)"
            " DO UPDATE SET until = excluded.until WHERE excluded.until > forgotten_proofs.until",
            span,
            until,
        )
    return len(found)


def add_token(on: On, token: Token) -> None:
    """Keep a leased token."""
    on.run(
        "INSERT INTO tokens (token_hash, grant_id, identity, jkt, issued_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        token.token_hash,
        token.grant,
        token.identity,
        token.jkt,
        micros(token.issued_at),
        micros(token.expires_at),
    )


def token(on: On, token_hash: bytes) -> Token | None:
    """The leased token of that hash."""
    found = on.run(
        "SELECT token_hash, grant_id, identity, jkt, issued_at, expires_at, revoked_at"
        " FROM tokens WHERE token_hash = ?",
        token_hash,
    )
    return columns.token(found[0]) if found else None


def revoke_tokens(on: On, grant: GrantId, now: datetime) -> int:
    """Revoke every token of a grant."""
    return len(
        on.run(
            "UPDATE tokens SET revoked_at = ? WHERE grant_id = ? AND revoked_at IS NULL"
            " RETURNING 1",
            micros(now),
            grant,
        )
    )
