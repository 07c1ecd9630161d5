"""From a valid document to the estate's values; inside, nobody checks again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from locum.model.authority import NOTHING, Authority
from locum.model.cause import Cause, HttpProbe, OidcProbe, Probe, SqlProbe, TcpProbe
from locum.model.constraint import (
    AllOf,
    AnyOf,
    Constraint,
    Exact,
    Glob,
    NotOneOf,
    OneOf,
    PathPrefix,
    Range,
    Subset,
)
from locum.model.estate import Database, Identity, Kind, Primary
from locum.model.names import GroupName, IdentityName, PathName
from locum.model.path import (
    Approvals,
    Blocks,
    CloseRule,
    CutoverRule,
    DrillRule,
    Escalation,
    Hook,
    HttpCheck,
    Limits,
    Path,
    PostgresqlRole,
    ReviewRule,
    RotationSchedule,
    StaticSecret,
    Target,
    Waiver,
    Webhook,
)
from locum.model.strength import Proofing
from locum.model.trust import CertificateTrust, KnownBy, TokenTrust, Trust

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LONGEST_LEAD = timedelta(days=14)


def duration(text: str) -> timedelta:
    """`20m`, `24h`, `90d`, `30s`."""
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])


def instant(text: str) -> datetime:
    """An instant in UTC; a day means the first instant after it.

    Raises:
        ValueError: there is no such day or time.
        OverflowError: it lies after the last that can be told.
    """
    if "T" in text:
        return datetime.fromisoformat(text).astimezone(UTC)
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + _DAY


def identity(name: str, raw: Mapping[str, Any]) -> Identity:
    """An identity of a valid document."""
    primary = raw["primary"]
    return Identity(
        IdentityName(name),
        Kind(raw["kind"]),
        raw["owner"],
        Primary(
            methods(primary["method"]),
            authority(primary.get("authority")) or NOTHING,
            frozenset(primary.get("context", ())),
            _known_by(primary.get("known_by")),
        ),
        {
            key: path(PathName(IdentityName(name), key), declared)
            for key, declared in raw.get("fallbacks", {}).items()
        },
        tuple(raw.get("notify", ())),
        raw.get("acts_for"),
        raw.get("disabled", False),
        _proofing(raw),
    )


def path(name: PathName, raw: Mapping[str, Any]) -> Path:
    """A path of a valid document."""
    limits, review = raw["limits"], raw["review"]
    return Path(
        name,
        methods(raw["method"]),
        frozenset(Cause(cause) for cause in raw["causes"]),
        Limits(
            duration(limits["ttl"]),
            limits.get("uses", 1),
            duration(limits["window"]) if "window" in limits else None,
        ),
        ReviewRule(
            GroupName(review["by"]),
            duration(review["within"]) if "within" in review else _DAY,
            Blocks(review.get("blocks", "overdue")),
        ),
        raw["owner"],
        raw["reason"],
        instant(raw["until"]),
        _approvals(raw.get("approvals")),
        raw.get("requesters"),
        frozenset(raw.get("context", ())),
        authority(raw.get("authority")),
        frozenset(CloseRule(rule) for rule in raw.get("closes", ())),
        _waiver(raw.get("waiver")),
        _drill(raw.get("drill")),
        _probe(raw.get("probe")),
        _target(raw.get("target")),
        _rotation(raw.get("rotation")),
        _cutover(raw.get("cutover", {})),
    )


def database(name: str, raw: Mapping[str, Any]) -> Database:
    """A database of a valid document."""
    return Database(name=name, **raw)


def trust(name: str, raw: Mapping[str, Any]) -> Trust:
    """A trust bundle of a valid document."""
    vouches = frozenset(raw.get("vouches", ()))
    if "certificates" in raw:
        return CertificateTrust(
            name, raw["certificates"], raw.get("crl", ""), raw.get("spiffe", ""), vouches
        )
    return TokenTrust(
        name,
        raw["audience"],
        raw.get("issuer", ""),
        raw.get("jwks", ""),
        json.loads(raw["keys"]) if "keys" in raw else {},
        raw.get("spiffe", ""),
        vouches,
    )


def _known_by(raw: Mapping[str, Any] | None) -> KnownBy | None:
    return None if raw is None else KnownBy(**raw)


def _rotation(raw: Mapping[str, Any] | None) -> RotationSchedule | None:
    return None if raw is None else RotationSchedule(instant(raw["first"]), duration(raw["every"]))


def _cutover(raw: Mapping[str, Any]) -> CutoverRule:
    return CutoverRule(
        raw.get("endpoint", ""),
        raw.get("server_name", ""),
        frozenset(IdentityName(name) for name in raw.get("guards", ())),
    )


def methods(raw: str | list[str]) -> tuple[str, ...]:
    """The methods of a field that holds one or a list."""
    return (raw,) if isinstance(raw, str) else tuple(raw)


def _proofing(raw: Mapping[str, Any]) -> Proofing:
    if raw["kind"] != "human":
        return Proofing.DECLARED_OWNER
    return Proofing[raw.get("proofing", "none").upper()]


def _approvals(raw: Mapping[str, Any] | None) -> Approvals | None:
    if raw is None:
        return None
    step = raw.get("escalate")
    return Approvals(
        GroupName(raw["of"]),
        raw["need"],
        duration(raw["within"]) if "within" in raw else _HOUR,
        None if step is None else Escalation(GroupName(step["to"]), duration(step["after"])),
    )


def _waiver(raw: Mapping[str, Any] | None) -> Waiver | None:
    return None if raw is None else Waiver(raw["owner"], raw["reason"], instant(raw["until"]))


def _drill(raw: Mapping[str, Any] | None) -> DrillRule | None:
    if raw is None:
        return None
    every = duration(raw["every"])
    return DrillRule(
        every, duration(raw["lead"]) if "lead" in raw else min(_LONGEST_LEAD, every / 2)
    )


def _probe(raw: Mapping[str, Any] | None) -> Probe | None:
    if raw is None:
        return None
    [(kind, value)] = raw.items()
    if kind == "tcp":
        host, _, port = value.rpartition(":")
        return TcpProbe(host.strip("[]"), int(port))
    if kind == "sql":
        return SqlProbe(value)
    return HttpProbe(value) if kind == "http" else OidcProbe(value)


def _target(raw: Mapping[str, Any] | None) -> Target | None:
    if raw is None:
        return None
    if "postgresql-role" in raw:
        return PostgresqlRole(raw["postgresql-role"], raw["database"])
    [(how, rotate)] = raw["rotate"].items()
    [(kind, check)] = raw["check"].items()
    return StaticSecret(
        raw["static"],
        raw["inject"],
        Hook(rotate) if how == "command" else Webhook(rotate),
        Hook(check) if kind == "command" else _http_check(check),
    )


def _http_check(raw: Mapping[str, Any]) -> HttpCheck:
    return HttpCheck(**{**raw, "refused": tuple(raw.get("refused", (401, 403)))})


def authority(raw: Mapping[str, Any] | None) -> Authority | None:
    """An authority of a valid document; `None` where nothing is said."""
    if raw is None:
        return None
    return Authority(
        frozenset(raw.get("audiences", ())),
        frozenset(raw.get("scopes", ())),
        frozenset(raw.get("resources", ())),
        raw.get("environment"),
        {
            tool: {name: _constraint(one) for name, one in arguments.items()}
            for tool, arguments in raw.get("tools", {}).items()
        },
    )


def _constraint(raw: Mapping[str, Any]) -> Constraint:
    [(kind, value)] = raw.items()
    match kind:
        case "exact":
            return Exact(value)
        case "one_of":
            return OneOf(tuple(value))
        case "not_one_of":
            return NotOneOf(tuple(value))
        case "range":
            return Range(*value)
        case "path_prefix":
            return PathPrefix(value)
        case "glob":
            return Glob(value)
        case "subset":
            return Subset(tuple(value))
        case "all":
            return AllOf(tuple(_constraint(part) for part in value))
        case "any":
            return AnyOf(tuple(_constraint(part) for part in value))
    raise ValueError(f"unknown constraint {kind}")
