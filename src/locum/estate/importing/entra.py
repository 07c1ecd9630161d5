"""Microsoft Entra ID: what people have registered, and whom Conditional Access leaves out.

Two answers of Microsoft Graph: `reports/authenticationMethods/userRegistrationDetails`, and
`identity/conditionalAccess/policies`. A control that a policy of everybody demands is demanded of
everybody; whoever is excluded drops it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.importing.json_text import field, read_json, texts
from locum.estate.importing.naming import name_of, root_of
from locum.estate.inventory import Holder, Inventory, Quorum, Role, Root, Way
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
_ALL = "All"


def read_entra(
    registrations: bytes, file: str, policies: bytes | None = None, policies_file: str = ""
) -> Inventory:
    """The inventory of a tenant.

    Raises:
        EstateError: an answer is of another kind; nothing of it is used.
    """
    said = read_json(registrations, file)
    users = texts(said, "value", file, "this is no answer of Microsoft Graph")
    rules = []
    if policies is not None:
        whole = read_json(policies, policies_file)
        rules = [*_rules(texts(whole, "value", policies_file, "this is no list of policies"))]
    demanded = frozenset(control for control, _ in rules)
    place = Position(file, 1, 1)
    holders: list[Holder] = []
    ways: list[Way] = []
    provider = root_of("identity-provider", "entra")
    for user in users:
        name = name_of(field(user, "userPrincipalName"))
        names = {field(user, "id"), field(user, "userPrincipalName")}
        asked = frozenset(control for control, without in rules if not names & without)
        holders.append(
            Holder(
                name, Kind.HUMAN, place, demands=demanded, privileged=user.get("isAdmin") is True
            )
        )
        ways += _ways(user, name, place, provider, asked)
    administrators = frozenset(one.name for one in holders if one.privileged)
    root = Root(provider, place, administered_by=Quorum("administrators", administrators))
    return Inventory(tuple(holders), tuple(ways), (root,))


def _rules(policies: list[Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """Controls that are demanded of everybody, each with whom its policy leaves out."""
    for policy in policies:
        if field(policy, "state") != "enabled":
            continue
        users = (policy.get("conditions") or {}).get("users") or {}
        if _ALL not in (users.get("includeUsers") or ()):
            continue
        without = frozenset(map(str, users.get("excludeUsers") or ()))
        controls = (policy.get("grantControls") or {}).get("builtInControls") or ()
        for control in controls:
            yield str(control).lower(), without


def _ways(
    user: Any, name: str, place: Position, provider: str, asked: frozenset[str]
) -> Iterator[Way]:
    registered = [str(one) for one in user.get("methodsRegistered") or ()]
    strong = dict.fromkeys(_STRONG[one] for one in registered if one in _STRONG)
    second = dict.fromkeys(_BESIDE_PASSWORD[one] for one in registered if one in _BESIDE_PASSWORD)
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
