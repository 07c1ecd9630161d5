"""What is kept beside the state in SQL: answers, the outbox, sealed secrets, words; and pruning."""

from __future__ import annotations

from datetime import datetime

from locum.store import columns
from locum.store.columns import micros
from locum.store.records import (
    Answer,
    Sealed,
    Task,
)
from locum.store.sql_callers import forget_proofs
from locum.store.statements import On, taken_by_another

_TASK = "id, kind, payload, subject, created_at, due_at, attempts, last_error"


def answer(on: On, caller: str, key: str) -> Answer | None:
    """What was answered to this caller's idempotency key."""
    found = on.run(
        "SELECT request_digest, status, body FROM answers WHERE caller = ? AND key = ?"
        " AND until > ?",
        caller,
        key,
        micros(on.now),
    )
    return Answer(bytes(found[0][0]), found[0][1], bytes(found[0][2])) if found else None


def remember(on: On, caller: str, key: str, answer: Answer, until: datetime) -> None:
    """Keep an answer."""
    kept = on.run(
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
        raise taken_by_another("The idempotency key")


def forget_answer(on: On, caller: str, key: str) -> None:
    """Strike an answer off."""
    on.run("DELETE FROM answers WHERE caller = ? AND key = ?", caller, key)


def enqueue(on: On, task: Task) -> None:
    """Add a task to the outbox."""
    on.run(
        "INSERT INTO tasks (kind, payload, subject, created_at, due_at, attempts, last_error)"
        " VALUES (?, ?, ?, ?, ?, 0, '')",
        task.kind,
        task.payload,
        task.subject,
        micros(task.created_at),
        micros(task.due_at),
    )


def take_tasks(on: On, now: datetime, until: datetime, limit: int) -> tuple[Task, ...]:
    """Claim tasks that are due and unclaimed."""
    at = micros(now)
    found = on.run(
        "UPDATE tasks SET claimed_until = ? WHERE id IN (SELECT id FROM tasks"
        " WHERE due_at <= ? AND (claimed_until IS NULL OR claimed_until <= ?)"
        f" ORDER BY due_at LIMIT ?{{skip}}) RETURNING {_TASK}",
        micros(until),
        at,
        at,
        limit,
    )
    return tuple(columns.task(one) for one in sorted(found))


def finish_task(on: On, task: int) -> None:
    """Strike a task off."""
    on.run("DELETE FROM tasks WHERE id = ?", task)


def postpone_task(on: On, task: int, due_at: datetime, error: str) -> None:
    """Count a failed attempt and say when to try again."""
    on.run(
        "UPDATE tasks SET attempts = attempts + 1, due_at = ?, last_error = ?,"
        " claimed_until = NULL WHERE id = ?",
        micros(due_at),
        error,
        task,
    )


def outbox(on: On) -> tuple[int, datetime | None]:
    """How many tasks wait, and since when the oldest does."""
    count, oldest = on.run("SELECT count(*), min(created_at) FROM tasks")[0]
    return count, columns.maybe(oldest)


def waiting_tasks(on: On, limit: int) -> tuple[Task, ...]:
    """Tasks that failed at least once, the oldest first."""
    found = on.run(
        f"SELECT {_TASK} FROM tasks WHERE attempts > 0 ORDER BY created_at LIMIT ?", limit
    )
    return tuple(columns.task(one) for one in found)


def seal(on: On, sealed: Sealed) -> None:
    """Keep a sealed secret by compare-and-set of its version."""
    kept = on.run(
        "INSERT INTO sealed (name, version, envelope) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET version = excluded.version,"
        " envelope = excluded.envelope WHERE sealed.version = excluded.version - 1"
        " RETURNING version",
        sealed.name,
        sealed.version,
        sealed.envelope,
    )
    if not kept:
        raise taken_by_another("The sealed secret")


def sealed(on: On, name: str) -> Sealed | None:
    """The sealed secret of that name."""
    found = on.run("SELECT version, envelope FROM sealed WHERE name = ?", name)
    return Sealed(name, found[0][0], bytes(found[0][1])) if found else None


def forget_sealed(on: On, name: str) -> None:
    """Remove a sealed secret."""
    on.run("DELETE FROM sealed WHERE name = ?", name)


def disclose(on: On, commitment: str, salt: bytes, text: str) -> None:
    """Keep the words behind a commitment."""
    on.run(
        "INSERT INTO disclosures (commitment, salt, words) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        commitment,
        salt,
        text,
    )


def disclosed(on: On, commitment: str) -> tuple[bytes, str] | None:
    """The salt and words behind a commitment."""
    found = on.run("SELECT salt, words FROM disclosures WHERE commitment = ?", commitment)
    return (bytes(found[0][0]), found[0][1]) if found else None


def prune(on: On, now: datetime, limit: int) -> int:
    """Delete what is past its time."""
    pruned = forget_proofs(on, now, limit)
    for table, key, column in (
        ("answers", "caller, key", "until"),
        ("invitations", "code_hash", "expires_at"),
    ):
        pruned += len(
            on.run(
                f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table}"
                f" WHERE {column} <= ? LIMIT ?) RETURNING 1",
                micros(now),
                limit,
            )
        )
    return pruned


def heartbeat(on: On, now: datetime) -> None:
    """Write a row that means nothing."""
    on.run(
        "INSERT INTO heartbeat (id, at) VALUES (1, ?)"
        " ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        micros(now),
    )
