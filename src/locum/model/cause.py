"""Causes: why the primary is unavailable, and what proves it.

Revocation of the primary or a disabled identity is never a cause: it forbids every path.
Source: design §1, law 4.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """Why the primary is unavailable."""

    LOST = "lost"
    LAPSED = "lapsed"
    PLANNED_ROTATION = "planned-rotation"
    OUTAGE = "outage"
    DRILL = "drill"


class HttpProbe(msgspec.Struct, frozen=True, tag="http", tag_field="kind"):
    """The primary is up while this URL answers with a status below 500."""

    url: str


class TcpProbe(msgspec.Struct, frozen=True, tag="tcp", tag_field="kind"):
    """The primary is up while this address accepts a connection."""

    host: str
    port: int


class OidcProbe(msgspec.Struct, frozen=True, tag="oidc", tag_field="kind"):
    """The primary is up while the issuer's discovery document names it and its keys load."""

    issuer: str


class SqlProbe(msgspec.Struct, frozen=True, tag="sql", tag_field="kind"):
    """The primary is up while the named database answers `SELECT 1`."""

    database: str


Probe = HttpProbe | TcpProbe | OidcProbe | SqlProbe


class Observation(msgspec.Struct, frozen=True):
    """What a probe saw of the primary, and when.

    Args:
        up: whether the primary answered as it should.
        at: when it was seen.
        detail: what was seen, in words a person can act on; never a secret.
    """

    up: bool
    at: datetime
    detail: str


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"opens": "from"}):
    """When a planned rotation happens: from `opens` on, and before `until`."""

    opens: datetime
    until: datetime


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the requester adds to support the cause.

    Args:
        incident: the reference of an incident that the approvers confirm, e.g. `INC-2041`.
        window: when the rotation is planned.
    """

    incident: str | None = None
    window: Window | None = None
