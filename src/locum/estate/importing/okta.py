"""Okta: users, the factors that they enrolled, and how a password may be recovered.

Answers of Okta's API: `users`, `policies?type=PASSWORD`, and objects of `users/ID/factors` and
`users/ID/roles` by user id. A recovery by mail or phone gives a new password, so it stands for the
password beside whatever second factor is asked for. WebAuthn counts as synced and FastPass as a
push, because the export does not say more (EVT-4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from locum.estate.importing.github import Export
from locum.estate.importing.json_text import field, inside, items, read_json
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import Holder, Inventory, Quorum, Role, Root, Way
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
) -> Inventory:
    """The inventory of an Okta tenant; without factors, what is asked beside a password is unknown.

    Raises:
        EstateError: an answer is of another kind; nothing of it is used.
    """
    place = Position(users[1], 1, 1)
    enrolled = _by_user(factors)
    may = _by_user(roles) or {}
    recoveries = () if policies is None else tuple(dict.fromkeys(_recoveries(policies)))
    provider = root_of("identity-provider", "okta")
    holders: list[Holder] = []
    ways: list[Way] = []
    for user in items(*users, "Okta lists users so"):
        login = field(user.get("profile"), "login")
        if not login:
            refuse(users[1], "missing-key", "A user has no `profile.login`.", "GET /api/v1/users.")
        name, key = name_of(login), field(user, "id")
        powerful = any(field(one, "type") in _ADMINISTERS for one in may.get(key, ()))
        holders.append(Holder(name, Kind.HUMAN, place, privileged=powerful))
        ways += _ways(user, name, place, provider, _asked(enrolled, key), recoveries)
    administrators = frozenset(one.name for one in holders if one.privileged)
    root = Root(provider, place, administered_by=Quorum("administrators", administrators))
    return Inventory(tuple(holders), tuple(ways), (root,))


def _by_user(export: Export | None) -> Mapping[str, list[Any]] | None:
    if export is None:
        return None
    data, file = export
    found = read_json(data, file)
    if not isinstance(found, dict) or not all(isinstance(one, list) for one in found.values()):
        refuse(
            file, "type", "This is no object of lists by user id.",
            'Put each user\'s answer under its id, e.g. {"00u1": [{"factorType": "push"}]}.',
        )  # fmt: skip
    return found


def _recoveries(policies: Export) -> Iterator[str]:
    """The methods of every password policy that is on, as one user may be under any of them."""
    for policy in items(*policies, "Okta lists password policies so"):
        if field(policy, "status") == "INACTIVE":
            continue
        allowed = inside(policy, "settings", "recovery", "factors")
        if not allowed:
            refuse(
                policies[1], "missing-key", "A policy does not say by what one recovers.",
                "GET /api/v1/policies?type=PASSWORD; it is in `settings.recovery.factors`.",
            )  # fmt: skip
        for kind, method in _RECOVERIES.items():
            if field(allowed.get(kind), "status") == "ACTIVE":
                yield method


def _asked(enrolled: Mapping[str, list[Any]] | None, key: str) -> tuple[str, ...]:
    """What one enrolled, each once; a lone `unknown` where nobody says."""
    if enrolled is None:
        return ("unknown",)
    there = [one for one in enrolled.get(key, ()) if field(one, "status") in ("ACTIVE", "")]
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
