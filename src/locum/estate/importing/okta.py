"""Okta: users, the factors that they enrolled, and how a password may be recovered.

Answers of Okta's API: `users`, `policies?type=PASSWORD`, and objects of `users/ID/factors` and
`users/ID/roles` by user id. A recovery by mail or phone gives a new password, so it stands for the
password beside whatever second factor is asked for. WebAuthn counts as synced and FastPass as a
push, because the export does not say more (EVT-4).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.listing import by_key, entries
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import Entry, in_parts
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
_WORKS = {
    **dict.fromkeys(("DEPROVISIONED", "SUSPENDED", "STAGED"), False),
    **dict.fromkeys(
        ("", "ACTIVE", "PROVISIONED", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT"), True
    ),
}
"""Of a user's status, whether one gets in, now or after a recovery."""
_ENROLLED = {
    **dict.fromkeys(("", "ACTIVE"), True),
    **dict.fromkeys(
        ("NOT_SETUP", "PENDING_ACTIVATION", "ENROLLED", "DISABLED", "INACTIVE", "EXPIRED"), False
    ),
}
_IS_ON = {"": True, "ACTIVE": True, "INACTIVE": False}
_CHANGES_NOBODY = ("READ_ONLY_ADMIN", "REPORT_ADMIN")
"""Administrators who only look; all others may change identities, and so may roles of one's own."""


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
) -> Iterator[Entry]:  # fmt: skip
    for user in entries(users, "Okta lists users so"):
        login = user.inside("profile").needed("login", "A user")
        name, key = name_of(login), user.needed("id", "A user")
        asked = ("unknown",) if enrolled is None else enrolled.get(key, ())
        holder = Holder(name, Kind.HUMAN, user.place, privileged=key in powerful)
        yield holder, _ways(user, name, provider, asked, recoveries), ()


def _by_user(export: Export) -> Iterator[tuple[str, list[Fields]]]:
    return by_key(export, "each user's answer stands under its id")


def _administers(roles: list[Fields]) -> bool:
    return any(one.needed("type", "A role") not in _CHANGES_NOBODY for one in roles)


def _recoveries(policies: Export) -> Iterator[str]:
    """The methods of every password policy that is on, as one user may be under any of them."""
    for policy in entries(policies, "Okta lists password policies so"):
        if not _said(policy, _IS_ON):
            continue
        allowed = policy.inside("settings", "recovery", "factors")
        if not [*allowed]:
            policy.refuse(
                "missing-key", "A policy does not say by what one recovers.",
                "GET /api/v1/policies?type=PASSWORD; it is in `settings.recovery.factors`.",
            )  # fmt: skip
        for kind, method in _RECOVERIES.items():
            if kind in allowed and _said(allowed.inside(kind), _IS_ON):
                yield method


def _said(one: Fields, known: Mapping[str, bool]) -> bool:
    status = one.text("status")
    if status not in known:
        one.refuse("value", f"`status` cannot be `{status[:40]}`.")
    return known[status]


def _asked(factors: list[Fields]) -> tuple[str, ...]:
    """What one enrolled, each once."""
    there = [one.needed("factorType", "A factor") for one in factors if _said(one, _ENROLLED)]
    return tuple(dict.fromkeys(_FACTORS.get(one, "unknown") for one in there))


def _ways(
    user: Fields, name: str, provider: str, seconds: tuple[str, ...], recoveries: tuple[str, ...]
) -> Iterator[Way]:  # fmt: skip
    active, profile = _said(user, _WORKS), user.inside("profile")
    roots = {
        "email-code": (root_of("mailbox", profile.text("email") or f"of-{name}"),),
        "sms-code": (root_of("phone-number", profile.text("mobilePhone") or f"of-{name}"),),
    }
    by = user.inside("credentials", "provider").text("type")
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
            methods, user.place, {"": (provider,), **resting}, active=active,
        )  # fmt: skip
