"""Microsoft Entra ID: what people have registered, and whom Conditional Access leaves out.

Two answers of Microsoft Graph: `reports/authenticationMethods/userRegistrationDetails`, and
`identity/conditionalAccess/policies`. A control that a policy of everybody demands is demanded of
everybody; whoever is excluded drops it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from locum.estate.importing.export import Export
from locum.estate.importing.json_text import field, inside, listed
from locum.estate.importing.listing import objects
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import in_parts
from locum.estate.importing.refusing import refuse
from locum.estate.inventory import Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind

_STRONG = {
    "passKeyDeviceBound": "passkey-device-bound",
    "passKeyDeviceBoundAuthenticator": "passkey-device-bound",
    "passKeyDeviceBoundWindowsHello": "passkey-device-bound",
    "windowsHelloForBusiness": "passkey-device-bound",
    "fido2SecurityKey": "passkey-device-bound",
    "passKeySynced": "passkey-synced",
}
_BESIDE_PASSWORD = {
    "microsoftAuthenticatorPush": "push-approval",
    "softwareOneTimePasscode": "totp",
    "hardwareOneTimePasscode": "totp",
    "mobilePhone": "sms-code",
    "alternateMobilePhone": "sms-code",
    "officePhone": "sms-code",
}
_NO_SIGN_IN = ("email", "securityQuestion", "none")
"""What is registered and signs nobody in by itself; it may reset a password."""
_ALL, _VALUE = "All", ("value",)
Control = tuple[str, frozenset[str]]
"""What is demanded of everybody, and whom its policy leaves out."""


def read_entra(
    registrations: Export, policies: Export | None = None
) -> Generator[Inventory, None, None]:
    """The inventory of a tenant, in parts.

    Raises:
        EstateError: an answer is of another kind; nothing of it is used.
    """
    rules = [] if policies is None else [*_rules(policies)]
    provider = root_of("identity-provider", "entra")
    return in_parts(
        _people(registrations, rules, provider), provider, Position(registrations.file, 1, 1)
    )


def _people(
    registrations: Export, rules: list[Control], provider: str
) -> Iterator[tuple[Holder, Iterator[Way]]]:
    demanded = frozenset(control for control, _ in rules)
    for _, place, user in objects(registrations, "this is no answer of Microsoft Graph", _VALUE):
        login = field(user, "userPrincipalName")
        if not login:
            refuse(
                place.file, "missing-key", "A user has no `userPrincipalName`.",
                "GET reports/authenticationMethods/userRegistrationDetails.",
                place.line, place.column,
            )  # fmt: skip
        name, names = name_of(login), {field(user, "id"), login}
        asked = frozenset(control for control, without in rules if not names & without)
        powerful = user.get("isAdmin") is True
        holder = Holder(name, Kind.HUMAN, place, demands=demanded, privileged=powerful)
        yield holder, _ways(user, name, place, provider, asked)


def _rules(policies: Export) -> Iterator[Control]:
    for _, _, policy in objects(policies, "this is no list of policies", _VALUE):
        if field(policy, "state") != "enabled":
            continue
        users = inside(policy, "conditions", "users")
        if _ALL not in listed(users, "includeUsers"):
            continue
        without = frozenset(map(str, listed(users, "excludeUsers")))
        for control in listed(inside(policy, "grantControls"), "builtInControls"):
            yield str(control).lower(), without


def _ways(
    user: Any, name: str, place: Position, provider: str, asked: frozenset[str]
) -> Iterator[Way]:
    registered = [str(one) for one in listed(user, "methodsRegistered")]
    strong = dict.fromkeys(_STRONG[one] for one in registered if one in _STRONG)
    second = dict.fromkeys(
        _BESIDE_PASSWORD.get(one, "unknown")
        for one in registered
        if one not in _STRONG and one not in _NO_SIGN_IN
    )
    sets: list[tuple[str, tuple[str, ...]]] = [(one, (one,)) for one in strong]
    sets += [(f"password-{one}", ("password", one)) for one in second]
    if not second and not (strong and user.get("isPasswordlessCapable") is True):
        sets.append(("password", ("password",)))
    for at, (kind, methods) in enumerate(sets):
        yield Way(
            name if at == 0 else f"{name}/{kind}", name, Role.FOUND if at else Role.PRIMARY,
            methods, place, {"": (provider,)}, demands=asked,
        )  # fmt: skip
    if user.get("isSsprEnabled") is True and "email" in registered:
        yield Way(
            f"{name}/reset", name, Role.FOUND, ("email-code",), place,
            {"": (provider,), "email-code": (root_of("mailbox", f"of-{name}"),)}, demands=asked,
        )  # fmt: skip
