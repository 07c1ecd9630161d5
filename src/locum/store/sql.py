"""The verbs of the store in SQL, once for both engines.

`?` marks a parameter; `{lock}` stands where PostgreSQL locks the rows that it reads. Every claim is
one statement that says through `RETURNING` whether it was won.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from locum.model.names import Digest, GrantId, IdentityName, PathName, RequestId
from locum.model.refusal import Conflict, MalformedInput, StorageError
from locum.model.request import State, ask_of
from locum.store import columns
from locum.store.columns import micros
from locum.store.records import (
    Answer,
    CallerKey,
    Invitation,
    Outcome,
    PathFacts,
    Row,
    Sealed,
    Task,
    Token,
)


class Engine(Protocol):
    """What a database connection does for the verbs."""

    def run(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement and give its rows as tuples."""
        ...

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        ...


def seal(key: bytes, entry: bytes) -> bytes:
    """The seal of an entry that is not integrated yet: HMAC-SHA256 under the store's key."""
    return hmac.digest(key, entry, hashlib.sha256)


def check_seal(key: bytes, number: int, entry: bytes, found: bytes) -> None:
    """Check a pending entry against its seal.

    Raises:
        StorageError: it was changed in the database.
    """
    if not hmac.compare_digest(seal(key, entry), found):
        raise StorageError(
            f"Pending ledger entry {number} is not what was committed.",
            "The database was altered: stop Locum, keep the database, and look who can write it.",
        )


def _conflict(what: str) -> Conflict:
    return Conflict(f"{what} was changed or taken by somebody else.", "Look again and try again.")


_KEY = "jkt, identity, jwk, registered_at, expires_at, conditions, revoked_at, invited_by"
_NAMED = 20  # as many grants are named in a refusal
_TASK = "id, kind, payload, subject, created_at, due_at, attempts, last_error"


class SqlTransaction:
    """One transaction's verbs; see `store.port.Transaction` for what each promises."""

    def __init__(self, engine: Engine, seal_key: bytes, now: datetime) -> None:
        self._run, self._many = engine.run, engine.many
        self._seal_key, self._now = seal_key, now

    # requests

    def request(self, request: RequestId) -> Row | None:
        """The request, locked."""
        found = self._run("SELECT version, body FROM requests WHERE id = ?{lock}", request)
        return columns.row(*found[0]) if found else None

    def request_of(self, grant: GrantId) -> Row | None:
        """The request that became this grant, locked."""
        found = self._run("SELECT version, body FROM requests WHERE grant_id = ?{lock}", grant)
        return columns.row(*found[0]) if found else None

    def add_request(self, state: State) -> None:
        """Keep a new request."""
        ask = ask_of(state)
        added = self._run(
            "INSERT INTO requests (id, version, path, cause, state, grant_id, due_at, review_due,"
            " closed_at, unsettled, body) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING 1",
            ask.id,
            str(ask.path),
            ask.cause.value,
            *columns.state_columns(state),
        )
        if not added:
            raise _conflict("The request")

    def save_request(self, state: State, version: int, claim: str | None) -> None:
        """Replace the request's state if it still has `version`."""
        saved = self._run(
            "UPDATE requests SET state = ?, grant_id = ?, due_at = ?, review_due = ?,"
            " closed_at = ?, unsettled = ?, body = ?, claim = ?, version = version + 1"
            " WHERE id = ? AND version = ? RETURNING 1",
            *columns.state_columns(state),
            claim,
            ask_of(state).id,
            version,
        )
        if not saved:
            raise _conflict("The request")

    def requests(
        self,
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
        found = self._run(
            f"SELECT id, version, body FROM requests WHERE {' AND '.join(where)}"
            " ORDER BY id DESC LIMIT ?",
            *values,
            limit + 1,
        )
        rows = tuple(columns.row(version, body) for _, version, body in found[:limit])
        return Outcome(rows, found[limit - 1][0] if len(found) > limit else None)

    def due(self, now: datetime, limit: int) -> tuple[RequestId, ...]:
        """Requests that time alone changes by `now`."""
        found = self._run(
            "SELECT id FROM requests WHERE due_at <= ? ORDER BY due_at LIMIT ?", micros(now), limit
        )
        return tuple(RequestId(one) for (one,) in found)

    def open_grants(self) -> tuple[Row, ...]:
        """Every open grant."""
        found = self._run("SELECT version, body FROM requests WHERE state = 'open'")
        return tuple(columns.row(*one) for one in found)

    def path_facts(self, path: PathName, now: datetime) -> PathFacts:
        """What the past of a path says about opening it again."""
        name, at = str(path), micros(now)
        standing = self._run(
            "SELECT grant_id, review_due, unsettled FROM requests"
            " WHERE path = ? AND (review_due IS NOT NULL OR unsettled)",
            name,
        )
        drilled = self._run(
            "SELECT max(closed_at) FROM requests WHERE path = ? AND cause = 'drill'", name
        )
        due = sorted((ends, one) for one, ends, _ in standing if ends is not None)
        unsettled = sorted(one for one, _, still in standing if still)
        return PathFacts(
            unsettled=tuple(GrantId(one) for one in unsettled[:_NAMED]),
            due=tuple(GrantId(one) for _, one in due[:_NAMED]),
            overdue=tuple(GrantId(one) for ends, one in due[:_NAMED] if ends <= at),
            drilled_at=columns.maybe(drilled[0][0]),
        )

    def declare(self, declaration: Digest, body: bytes) -> None:
        """Keep a path's declaration under its digest."""
        self._run(
            "INSERT INTO declarations (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
            declaration,
            body,
        )

    def declaration(self, declaration: Digest) -> bytes | None:
        """The declaration of that digest."""
        found = self._run("SELECT body FROM declarations WHERE digest = ?", declaration)
        return bytes(found[0][0]) if found else None

    # callers

    def invite(self, invitation: Invitation) -> None:
        """Keep an invitation."""
        self._run(
            "INSERT INTO invitations (code_hash, identity, invited_by, created_at, expires_at,"
            " conditions) VALUES (?, ?, ?, ?, ?, ?)",
            invitation.code_hash,
            invitation.identity,
            columns.joined(invitation.invited_by),
            micros(invitation.created_at),
            micros(invitation.expires_at),
            columns.joined(invitation.conditions),
        )

    def redeem(self, code_hash: bytes, now: datetime) -> Invitation | None:
        """Spend an invitation: one statement decides who was first."""
        found = self._run(
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

    def withdraw_invitation(self, code_hash: bytes, now: datetime) -> bool:
        """End an invitation that is unspent and unexpired."""
        return bool(
            self._run(
                "UPDATE invitations SET redeemed_at = ? WHERE code_hash = ?"
                " AND redeemed_at IS NULL AND expires_at > ? RETURNING 1",
                micros(now),
                code_hash,
                micros(now),
            )
        )

    def add_caller(self, key: CallerKey) -> None:
        """Register a key."""
        added = self._run(
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
            raise _conflict("The key")

    def caller(self, jkt: str) -> CallerKey | None:
        """The registered key of that thumbprint."""
        found = self._run(f"SELECT {_KEY} FROM callers WHERE jkt = ?", jkt)
        return columns.caller_key(found[0]) if found else None

    def callers_of(self, identity: IdentityName) -> tuple[CallerKey, ...]:
        """Every key ever registered for an identity."""
        found = self._run(
            f"SELECT {_KEY} FROM callers WHERE identity = ? ORDER BY registered_at", identity
        )
        return tuple(columns.caller_key(one) for one in found)

    def revoke_caller(self, jkt: str, now: datetime) -> None:
        """Revoke a key."""
        self._run(
            "UPDATE callers SET revoked_at = ? WHERE jkt = ? AND revoked_at IS NULL",
            micros(now),
            jkt,
        )

    def claim_proof(self, jkt: str, jti: str, until: datetime) -> None:
        """Spend a DPoP proof's `jti`."""
        claimed = self._run(
            "INSERT INTO proofs (jkt, jti, until) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING 1",
            jkt,
            jti,
            micros(until),
        )
        if not claimed:
            raise _conflict("The proof")

    # tokens

    def add_token(self, token: Token) -> None:
        """Keep a leased token."""
        self._run(
            "INSERT INTO tokens (token_hash, grant_id, identity, jkt, issued_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            token.token_hash,
            token.grant,
            token.identity,
            token.jkt,
            micros(token.issued_at),
            micros(token.expires_at),
        )

    def token(self, token_hash: bytes) -> Token | None:
        """The leased token of that hash."""
        found = self._run(
            "SELECT token_hash, grant_id, identity, jkt, issued_at, expires_at, revoked_at"
            " FROM tokens WHERE token_hash = ?",
            token_hash,
        )
        return columns.token(found[0]) if found else None

    def revoke_tokens(self, grant: GrantId, now: datetime) -> int:
        """Revoke every token of a grant."""
        return len(
            self._run(
                "UPDATE tokens SET revoked_at = ? WHERE grant_id = ? AND revoked_at IS NULL"
                " RETURNING 1",
                micros(now),
                grant,
            )
        )

    # answers, tasks, secrets, words

    def answer(self, caller: str, key: str) -> Answer | None:
        """What was answered to this caller's idempotency key."""
        found = self._run(
            "SELECT request_digest, status, body FROM answers WHERE caller = ? AND key = ?"
            " AND until > ?",
            caller,
            key,
            micros(self._now),
        )
        return Answer(bytes(found[0][0]), found[0][1], bytes(found[0][2])) if found else None

    def remember(self, caller: str, key: str, answer: Answer, until: datetime) -> None:
        """Keep an answer."""
        kept = self._run(
            "INSERT INTO answers (caller, key, request_digest, status, body, until)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
            caller,
            key,
            answer.request_digest,
            answer.status,
            answer.body,
            micros(until),
        )
        if not kept:
            raise _conflict("The idempotency key")

    def forget_answer(self, caller: str, key: str) -> None:
        """Strike an answer off."""
        self._run("DELETE FROM answers WHERE caller = ? AND key = ?", caller, key)

    def enqueue(self, task: Task) -> None:
        """Add a task to the outbox."""
        self._run(
            "INSERT INTO tasks (kind, payload, subject, created_at, due_at, attempts, last_error)"
            " VALUES (?, ?, ?, ?, ?, 0, '')",
            task.kind,
            task.payload,
            task.subject,
            micros(task.created_at),
            micros(task.due_at),
        )

    def take_tasks(self, now: datetime, until: datetime, limit: int) -> tuple[Task, ...]:
        """Claim tasks that are due and unclaimed."""
        at = micros(now)
        found = self._run(
            "UPDATE tasks SET claimed_until = ? WHERE id IN (SELECT id FROM tasks"
            " WHERE due_at <= ? AND (claimed_until IS NULL OR claimed_until <= ?)"
            f" ORDER BY due_at LIMIT ?{{skip}}) RETURNING {_TASK}",
            micros(until),
            at,
            at,
            limit,
        )
        return tuple(columns.task(one) for one in sorted(found))

    def finish_task(self, task: int) -> None:
        """Strike a task off."""
        self._run("DELETE FROM tasks WHERE id = ?", task)

    def postpone_task(self, task: int, due_at: datetime, error: str) -> None:
        """Count a failed attempt and say when to try again."""
        self._run(
            "UPDATE tasks SET attempts = attempts + 1, due_at = ?, last_error = ?,"
            " claimed_until = NULL WHERE id = ?",
            micros(due_at),
            error,
            task,
        )

    def outbox(self) -> tuple[int, datetime | None]:
        """How many tasks wait, and since when the oldest does."""
        count, oldest = self._run("SELECT count(*), min(created_at) FROM tasks")[0]
        return count, columns.maybe(oldest)

    def waiting_tasks(self, limit: int) -> tuple[Task, ...]:
        """Tasks that failed at least once, the oldest first."""
        found = self._run(
            f"SELECT {_TASK} FROM tasks WHERE attempts > 0 ORDER BY created_at LIMIT ?", limit
        )
        return tuple(columns.task(one) for one in found)

    def seal(self, sealed: Sealed) -> None:
        """Keep a sealed secret by compare-and-set of its version."""
        kept = self._run(
            "INSERT INTO sealed (name, version, envelope) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version,"
            " envelope = excluded.envelope WHERE sealed.version = excluded.version - 1"
            " RETURNING version",
            sealed.name,
            sealed.version,
            sealed.envelope,
        )
        if not kept:
            raise _conflict("The sealed secret")

    def sealed(self, name: str) -> Sealed | None:
        """The sealed secret of that name."""
        found = self._run("SELECT version, envelope FROM sealed WHERE name = ?", name)
        return Sealed(name, found[0][0], bytes(found[0][1])) if found else None

    def forget_sealed(self, name: str) -> None:
        """Remove a sealed secret."""
        self._run("DELETE FROM sealed WHERE name = ?", name)

    def disclose(self, commitment: str, salt: bytes, text: str) -> None:
        """Keep the words behind a commitment."""
        self._run(
            "INSERT INTO disclosures (commitment, salt, words) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            commitment,
            salt,
            text,
        )

    def disclosed(self, commitment: str) -> tuple[bytes, str] | None:
        """The salt and words behind a commitment."""
        found = self._run("SELECT salt, words FROM disclosures WHERE commitment = ?", commitment)
        return (bytes(found[0][0]), found[0][1]) if found else None

    def prune(self, now: datetime, limit: int) -> int:
        """Delete what is past its time."""
        pruned = 0
        for table, key, column in (
            ("proofs", "jkt, jti", "until"),
            ("answers", "caller, key", "until"),
            ("invitations", "code_hash", "expires_at"),
        ):
            pruned += len(
                self._run(
                    f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table}"
                    f" WHERE {column} <= ? LIMIT ?) RETURNING 1",
                    micros(now),
                    limit,
                )
            )
        return pruned

    def heartbeat(self, now: datetime) -> None:
        """Write a row that means nothing."""
        self._run(
            "INSERT INTO heartbeat (id, at) VALUES (1, ?)"
            " ON CONFLICT (id) DO UPDATE SET at = excluded.at",
            micros(now),
        )

    # ledger

    def append(self, entry: bytes) -> None:
        """Add an entry to the ledger."""
        self._run(
            "INSERT INTO ledger_pending (entry, seal, at) VALUES (?, ?, ?)",
            entry,
            seal(self._seal_key, entry),
            micros(self._now),
        )

    def pending(self, limit: int) -> tuple[tuple[int, bytes, bytes], ...]:
        """Entries not yet integrated."""
        found = self._run("SELECT id, entry, seal FROM ledger_pending ORDER BY id LIMIT ?", limit)
        return tuple((number, bytes(entry), bytes(sealed)) for number, entry, sealed in found)

    def integrate(
        self,
        pending: Sequence[int],
        first_index: int,
        entries: Sequence[bytes],
        tiles: Mapping[tuple[int, int], bytes],
    ) -> None:
        """Give pending entries their indices, and keep changed tiles."""
        if self.ledger_size() != first_index:
            raise _conflict("The ledger")
        self._many(
            "INSERT INTO ledger_entries (idx, entry) VALUES (?, ?)",
            [(first_index + offset, entry) for offset, entry in enumerate(entries)],
        )
        self._many("DELETE FROM ledger_pending WHERE id = ?", [(number,) for number in pending])
        self._many(
            "INSERT INTO ledger_tiles (level, number, data) VALUES (?, ?, ?)"
            " ON CONFLICT (level, number) DO UPDATE SET data = excluded.data",
            [(level, number, data) for (level, number), data in tiles.items()],
        )

    def ledger_size(self) -> int:
        """How many entries are integrated."""
        last = self._run("SELECT max(idx) FROM ledger_entries")[0][0]
        return 0 if last is None else int(last) + 1

    def pending_count(self) -> tuple[int, datetime | None]:
        """How many entries wait for integration, and since when."""
        count, oldest = self._run("SELECT count(*), min(at) FROM ledger_pending")[0]
        return count, columns.maybe(oldest)

    def entries(self, first: int, count: int) -> tuple[bytes, ...]:
        """Integrated entries from `first` on."""
        found = self._run(
            "SELECT entry FROM ledger_entries WHERE idx >= ? AND idx < ? ORDER BY idx",
            first,
            first + count,
        )
        return tuple(bytes(entry) for (entry,) in found)

    def tile(self, level: int, number: int) -> bytes | None:
        """The longest version of a hash tile."""
        found = self._run(
            "SELECT data FROM ledger_tiles WHERE level = ? AND number = ?", level, number
        )
        return bytes(found[0][0]) if found else None

    def publish(self, size: int, note: bytes) -> None:
        """Keep a signed checkpoint as the newest."""
        newest = self._run("SELECT max(size) FROM ledger_checkpoints")[0][0]
        if newest is not None and newest > size:
            raise _conflict("The checkpoint")
        self._run(
            "INSERT INTO ledger_checkpoints (size, note) VALUES (?, ?)"
            " ON CONFLICT (size) DO UPDATE SET note = excluded.note",
            size,
            note,
        )
        self._run("DELETE FROM ledger_checkpoints WHERE size < ?", size)

    def checkpoint(self) -> bytes | None:
        """The newest signed checkpoint."""
        found = self._run("SELECT note FROM ledger_checkpoints ORDER BY size DESC LIMIT 1")
        return bytes(found[0][0]) if found else None
