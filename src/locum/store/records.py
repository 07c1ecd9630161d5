"""What the store keeps beside requests: callers' keys, invitations, tokens, tasks, answers."""

from __future__ import annotations

from datetime import datetime

import msgspec

from locum.model.names import GrantId, IdentityName, RequestId
from locum.model.request import State


class Row(msgspec.Struct, frozen=True):
    """A request as it stands, with the version that a change of it must name."""

    state: State
    version: int


class PathFacts(msgspec.Struct, frozen=True):
    """What the past of one path says about opening it again.

    Args:
        unsettled: closed grants whose credential is not yet seen dead.
        due: closed grants without a review.
        overdue: those of `due` whose time is over.
        drilled_at: when the last drill closed; `None` where there was none.
    """

    unsettled: tuple[GrantId, ...] = ()
    due: tuple[GrantId, ...] = ()
    overdue: tuple[GrantId, ...] = ()
    drilled_at: datetime | None = None


class CallerKey(msgspec.Struct, frozen=True):
    """A person's registered public key.

    Args:
        jkt: its thumbprint (RFC 7638), base64url.
        jwk: the public key as canonical JSON.
        conditions: what an administrator vouched for when inviting, e.g. `managed-device`.
        invited_by: whose invitation it was registered against; see `model.request.ActingKey`.
    """

    jkt: str
    identity: IdentityName
    jwk: bytes
    registered_at: datetime
    expires_at: datetime
    conditions: frozenset[str] = frozenset()
    revoked_at: datetime | None = None
    invited_by: frozenset[IdentityName] = frozenset()


class Invitation(msgspec.Struct, frozen=True):
    """A single-use invitation to register a key; only the hash of its code is kept.

    Args:
        invited_by: see `model.request.ActingKey`; empty where the operator invited.
    """

    code_hash: bytes
    identity: IdentityName
    invited_by: frozenset[IdentityName]
    created_at: datetime
    expires_at: datetime
    conditions: frozenset[str] = frozenset()


class Token(msgspec.Struct, frozen=True):
    """An opaque leased token; only its hash is kept.

    Args:
        jkt: the key that it is bound to (RFC 9449 §6.1).
        expires_at: never after its grant's hard end.
    """

    token_hash: bytes
    grant: GrantId
    identity: IdentityName
    jkt: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


class CertificateRow(msgspec.Struct, frozen=True):
    """An issued backup certificate.

    Args:
        serial: lower-case hexadecimal.
        fingerprint: SHA-256 of the whole, lower-case hexadecimal.
        key: SHA-256 of its public key, lower-case hexadecimal; a key has one certificate, ever.
        body: the certificate, DER.
        reason: why it was revoked, as RFC 5280 names it; empty while it is not.
    """

    serial: str
    grant: GrantId
    fingerprint: str
    key: str
    not_before: datetime
    not_after: datetime
    body: bytes
    revoked_at: datetime | None = None
    reason: str = ""


class CertificateMark(msgspec.Struct, frozen=True):
    """What differs whenever the set of revoked, unexpired certificates does.

    Args:
        count: how many there are.
        latest: when the last was revoked.
        first_end: when the first of them expires.
    """

    count: int
    latest: datetime | None
    first_end: datetime | None


class Task(msgspec.Struct, frozen=True):
    """Something to do after a commit, retried until it succeeds.

    Args:
        id: given by the store; 0 before.
        kind: which worker does it, e.g. `settle`, `notify`.
        payload: JSON; never a secret.
        subject: the request that it is about; empty where none is.
    """

    kind: str
    payload: bytes
    created_at: datetime
    due_at: datetime
    subject: RequestId | str = ""
    id: int = 0
    attempts: int = 0
    last_error: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What was answered to an idempotency key; never holds a secret."""

    request_digest: bytes
    status: int
    body: bytes


class Sealed(msgspec.Struct, frozen=True):
    """A sealed secret of the built-in vault, with the version that a change must name."""

    name: str
    version: int
    envelope: bytes


class Outcome(msgspec.Struct, frozen=True):
    """A page of requests, newest first, and the cursor of the next."""

    rows: tuple[Row, ...]
    cursor: str | None
