"""Okta: users, the factors that they enrolled, and how a password may be recovered.

Answers of Okta's API: `users`, `policies?type=PASSWORD`, and objects of `users/ID/factors` and
`users/ID/roles` by user id. A recovery by mail or phone gives a new password, so it stands for the
password beside whatever second factor is asked for. WebAuthn counts as synced and FastPass as a
push, because the export does not say more (EVT-4).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from locum.estate.importing.export import Export
from locum.estate.importing.json_stream import members
from locum.estate.importing.json_text import field, inside
from locum.estate.importing.listing import items
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import in_parts
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind

_FACTORS = {
    "webauthn": "passkey-synced",
    "u2f": "passkey-synced",
    "signed_nonce": "push-approval",
    "push": "push-approval",
    "token:software:totp": "totp",
    "token:hotp": "totp",
    "token:hardware": "totp",
    "token": "totp",
    "sms": "sms-code",
    "call": "sms-code",
    "email": "email-code",
    "question": "security-question",
}
_RECOVERIES = {"okta_email": "email-code", "okta_sms": "sms-code", "okta_call": "sms-code"}
_ELSEWHERE = ("FEDERATION", "SOCIAL")
_ENDED = ("DEPROVISIONED", "SUSPENDED", "STAGED")
_ADMINISTERS = ("SUPER_ADMIN", "ORG_ADMIN", "USER_ADMIN", "HELP_DESK_ADMIN")


def read_okta(
    users: Export,
    factors: Export | None = None,
    policies: Export | None = None,
    roles: Export | None = None,
) -> Generator[Inventory, None, None]:
    """The inventory of an Okta tenant, in parts.

    Without factors, what is asked beside a password is unknown.

    Raises:
        EstateError: an answer is of another kind; nothing of it is used.
    """
    enrolled = None if factors is None else {key: _asked(of) for key, of in _by_user(factors)}
    powerful: frozenset[str] = frozenset()
    if roles is not None:
        powerful = frozenset(key for key, of in _by_user(roles) if _administers(of))
    recoveries = () if policies is None else tuple(dict.fromkeys(_recoveries(policies)))
    provider = root_of("identity-provider", "okta")
    return in_parts(
        _people(users, enrolled, powerful, recoveries, provider), provider,
        Position(users.file, 1, 1),
    )  # fmt: skip


def _people(
    users: Export, enrolled: Mapping[str, tuple[str, ...]] | None, powerful: frozenset[str],
    recoveries: tuple[str, ...], provider: str,
) -> Iterator[tuple[Holder, Iterator[Way]]]:  # fmt: skip
    for place, user in items(users, "Okta lists users so"):
        login = field(user.get("profile"), "login")
        if not login:
            refuse(
                place.file, "missing-key", "A user has no `profile.login`.", "GET /api/v1/users.",
                place.line, place.column,
            )  # fmt: skip
        name, key = name_of(login), field(user, "id")
        asked = ("unknown",) if enrolled is None else enrolled.get(key, ())
        holder = Holder(name, Kind.HUMAN, place, privileged=key in powerful)
        yield holder, _ways(user, name, place, provider, asked, recoveries)


def _by_user(export: Export) -> Iterator[tuple[str, list[Any]]]:
    for key, place, of in members(export, "each user's answer stands under its id"):
        if not isinstance(of, list):
            refuse(
                place.file, "type", "This is no list.",
                'Put each user\'s answer under its id, e.g. {"00u1": [{"factorType": "push"}]}.',
                place.line, place.column,
            )  # fmt: skip
        yield key, of


def _administers(roles: list[Any]) -> bool:
    return any(field(one, "type") in _ADMINISTERS for one in roles)


def _recoveries(policies: Export) -> Iterator[str]:
    """The methods of every password policy that is on, as one user may be under any of them."""
    for place, policy in items(policies, "Okta lists password policies so"):
        if field(policy, "status") == "INACTIVE":
            continue
        allowed = inside(policy, "settings", "recovery", "factors")
        if not allowed:
            refuse(
                place.file, "missing-key", "A policy does not say by what one recovers.",
                "GET /api/v1/policies?type=PASSWORD; it is in `settings.recovery.factors`.",
                place.line, place.column,
            )  # fmt: skip
        for kind, method in _RECOVERIES.items():
            if field(allowed.get(kind), "status") == "ACTIVE":
                yield method


def _asked(factors: list[Any]) -> tuple[str, ...]:
    """What one enrolled, each once."""
    there = [one for one in factors if field(one, "status") in ("ACTIVE", "")]
    return tuple(dict.fromkeys(_FACTORS.get(field(one, "factorType"), "unknown") for one in there))


def _ways(
    user: dict[str, Any], name: str, place: Position, provider: str, seconds: tuple[str, ...],
    recoveries: tuple[str, ...],
) -> Iterator[Way]:  # fmt: skip
    active = field(user, "status") not in _ENDED
    profile = inside(user, "profile")
    roots = {
        "email-code": (root_of("mailbox", field(profile, "email") or f"of-{name}"),),
        "sms-code": (root_of("phone-number", field(profile, "mobilePhone") or f"of-{name}"),),
    }
    by = field(inside(user, "credentials", "provider"), "type")
    sets: list[tuple[str, tuple[str, ...]]] = []
    beside: list[tuple[str, ...]] = [(one,) for one in seconds] or [()]
    if by in _ELSEWHERE:
        sets.append(("", ("federation",)))
    else:
        sets += [(f"password-{one}", ("password", one)) for one in seconds]
        sets = sets or [("", ("password",))]
        sets += [
            ("-".join(("reset", how, *second)), tuple(dict.fromkeys((how, *second))))
            for how in recoveries
            for second in beside
        ]  # a recovery and a factor by one mailbox are one thing, and presented once
    for at, (kind, methods) in enumerate(sets):
        resting = {one: roots[one] for one in methods if one in roots}
        yield Way(
            name if at == 0 else f"{name}/{kind}", name, Role.FOUND if at else Role.PRIMARY,
            methods, place, {"": (provider,), **resting}, active=active,
        )  # fmt: skip
