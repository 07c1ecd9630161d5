"""A path: one declared fallback of one identity, with everything that bounds it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, StrEnum

import msgspec

from locum.model.authority import Authority
from locum.model.cause import Cause, Probe
from locum.model.names import GroupName, IdentityName, PathName


class CloseRule(StrEnum):
    """What closes a grant early, beyond what always does (end, use limit, person, leak, signal)."""

    CUTOVER = "cutover"
    RESTORED = "restored"


class Blocks(Enum):
    """From when a missing review blocks the path."""

    WHEN_DUE = "due"
    WHEN_OVERDUE = "overdue"


class Escalation(msgspec.Struct, frozen=True):
    """A second group that may approve too once `after` has passed since the request."""

    to: GroupName
    after: timedelta


class Approvals(msgspec.Struct, frozen=True):
    """How many different people must approve, out of which group, and by when."""

    of: GroupName
    need: int
    within: timedelta
    escalate: Escalation | None = None


class Limits(msgspec.Struct, frozen=True):
    """How long a grant lives and how often its credential may be taken."""

    ttl: timedelta
    uses: int = 1
    window: timedelta | None = None


class ReviewRule(msgspec.Struct, frozen=True):
    """Who judges a grant afterwards, and within which time of its close."""

    by: GroupName
    within: timedelta
    blocks: Blocks = Blocks.WHEN_OVERDUE


class DrillRule(msgspec.Struct, frozen=True):
    """How often a path is rehearsed; `lead` before the due day the drill may begin."""

    every: timedelta
    lead: timedelta


class RotationSchedule(msgspec.Struct, frozen=True):
    """Rotations that are announced once for all: a window of `limits.window` each time.

    Args:
        first: when the first window opens.
        every: from one opening to the next.
    """

    first: datetime
    every: timedelta


class CutoverRule(msgspec.Struct, frozen=True):
    """How Locum learns that the new primary is in use, beyond being told by its holder.

    Args:
        endpoint: host and port whose TLS certificate is the primary; empty for none.
        server_name: the name to ask that endpoint for; its host where this is empty.
        guards: identities whose word counts when they say that they saw a certificate in use.
    """

    endpoint: str = ""
    server_name: str = ""
    guards: frozenset[IdentityName] = frozenset()


class Waiver(msgspec.Struct, frozen=True):
    """A declared downgrade, accepted by a named owner for a reason until an instant."""

    owner: str
    reason: str
    until: datetime


class PostgresqlRole(msgspec.Struct, frozen=True, tag="postgresql-role", tag_field="kind"):
    """A login role of a declared database; its password is set at activation and at close."""

    role: str
    database: str


class Hook(msgspec.Struct, frozen=True, tag="command", tag_field="kind"):
    """An executable in the operator's hooks folder, by its bare name; it takes no arguments."""

    command: str


class Webhook(msgspec.Struct, frozen=True, tag="webhook", tag_field="kind"):
    """An HTTPS endpoint (plain HTTP on loopback only)."""

    url: str


class HttpCheck(msgspec.Struct, frozen=True, tag="http", tag_field="kind"):
    """A request that carries the old secret in a header and must be refused.

    Args:
        url: where to send it.
        header: the header that carries it, e.g. `Authorization`.
        prefix: what stands before the secret in the header, e.g. `Bearer `.
        refused: statuses that mean "refused".
    """

    url: str
    header: str = "Authorization"
    prefix: str = "Bearer "
    refused: tuple[int, ...] = (401, 403)


class StaticSecret(msgspec.Struct, frozen=True, tag="static", tag_field="kind"):
    """A sealed secret, e.g. an API key: burnt at close until a new one is proved to be in place.

    Args:
        name: the vault's name for it.
        inject: the environment variable that `locum run` sets.
        rotate: what puts a new one in place.
        check: what proves that the old one is refused.
    """

    name: str
    inject: str
    rotate: Hook | Webhook
    check: HttpCheck | Hook


Target = PostgresqlRole | StaticSecret


class Path(msgspec.Struct, frozen=True):
    """A declared fallback. Field by field as the estate file says it (design §5).

    Args:
        until: the first instant at which the path no longer opens.
        requesters: the group that may ask; `None` means the approvers' group, or the identity
            itself where nobody approves.
        authority: the authority of a grant; `None` means the primary's own.
    """

    name: PathName
    methods: tuple[str, ...]
    causes: frozenset[Cause]
    limits: Limits
    review: ReviewRule
    owner: str
    reason: str
    until: datetime
    approvals: Approvals | None = None
    requesters: GroupName | None = None
    context: frozenset[str] = frozenset()
    authority: Authority | None = None
    closes: frozenset[CloseRule] = frozenset()
    waiver: Waiver | None = None
    drill: DrillRule | None = None
    probe: Probe | None = None
    target: Target | None = None
    rotation: RotationSchedule | None = None
    cutover: CutoverRule = CutoverRule()
