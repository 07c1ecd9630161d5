"""Microsoft Entra ID: what people have registered, and whom Conditional Access leaves out.

Answers of Microsoft Graph: `reports/authenticationMethods/userRegistrationDetails`,
`identity/conditionalAccess/policies`, and the members of groups and roles that policies name. A
control that a policy of everybody demands is demanded of everybody; whoever is left out drops it.
What is registered is asked for only where a policy says so; without, a password is enough. Where
people may reset a password, each of their ways to do it is taken for enough, as the answers do not
say how many are needed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from locum.estate.importing.entra_policies import Person, Policy, read_members, read_policies
from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.listing import records
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.parts import Entry, in_parts
from locum.estate.inventory import Holder, Inventory, Role, Way
from locum.estate.problem import Position
from locum.model.estate import Kind

_ALONE = {
    "passKeyDeviceBound": "passkey-device-bound",
    "passKeyDeviceBoundAuthenticator": "passkey-device-bound",
    "passKeyDeviceBoundWindowsHello": "passkey-device-bound",
    "windowsHelloForBusiness": "passkey-device-bound",
    "fido2SecurityKey": "passkey-device-bound",
    "passKeySynced": "passkey-synced",
    # A push that asks for no password; that it asks for a finger is not counted.
    "microsoftAuthenticatorPasswordless": "push-approval",
}
_BESIDE_PASSWORD = {
    "microsoftAuthenticatorPush": "push-approval",
    "softwareOneTimePasscode": "totp",
    "hardwareOneTimePasscode": "totp",
    "mobilePhone": "sms-code",
    "alternateMobilePhone": "sms-code",
    "officePhone": "sms-code",
}
_RESETS = {**_BESIDE_PASSWORD, "email": "email-code", "securityQuestion": "unknown"}
_NO_SIGN_IN = ("email", "securityQuestion", "none")
"""What is registered and signs nobody in by itself; it may reset a password."""


def read_entra(
    registrations: Export, policies: Export | None = None, groups: Export | None = None
) -> Generator[Inventory, None, None]:
    """The inventory of a tenant, in parts.

    Args:
        policies: without them, nobody is known to be asked for more than a password.
        groups: members by group or role, of those that policies name.

    Raises:
        EstateError: an answer is of another kind; nothing of it is used.
    """
    members = {} if groups is None else read_members(groups)
    rules = [] if policies is None else [*read_policies(policies, members)]
    provider = root_of("identity-provider", "entra")
    return in_parts(
        _people(registrations, rules, provider), provider, Position(registrations.file, 1, 1)
    )


def _people(registrations: Export, rules: Sequence[Policy], provider: str) -> Iterator[Entry]:
    demanded = frozenset(one for rule in rules if rule.everybody for one in rule.controls)
    for _, user in records(registrations, "this is no answer of Microsoft Graph", ("value",)):
        login = user.needed("userPrincipalName", "A user")
        person = Person(frozenset({user.text("id"), login}), user.text("userType") == "guest")
        asking = [rule for rule in rules if rule.asks(person)]
        holder = Holder(
            name_of(login), Kind.HUMAN, user.place, demands=demanded,
            privileged=user.flag("isAdmin"),
        )  # fmt: skip
        yield holder, _ways(user, holder.name, provider, asking), ()


def _ways(user: Fields, name: str, provider: str, asking: Sequence[Policy]) -> Iterator[Way]:
    asked = frozenset(control for rule in asking for control in rule.controls)
    roots = {
        "email-code": (root_of("mailbox", f"of-{name}"),),
        "sms-code": (root_of("phone-number", f"of-{name}"),),
    }
    sets = _sets(user, any(rule.second_factor for rule in asking))
    for at, (kind, methods) in enumerate(sets.items()):
        resting = {one: roots[one] for one in methods if one in roots}
        yield Way(
            name if at == 0 else f"{name}/{kind}", name, Role.FOUND if at else Role.PRIMARY,
            methods, user.place, {"": (provider,), **resting}, demands=asked,
        )  # fmt: skip


def _sets(user: Fields, second_factor: bool) -> dict[str, tuple[str, ...]]:
    """What signs one in together, by a name; the normal way comes first."""
    registered = dict.fromkeys(user.texts("methodsRegistered"))
    seconds = dict.fromkeys(_BESIDE_PASSWORD[one] for one in registered if one in _BESIDE_PASSWORD)
    sets: dict[str, tuple[str, ...]] = {
        _ALONE[one]: (_ALONE[one],) for one in registered if one in _ALONE
    }
    sets |= {f"password-{one}": ("password", one) for one in seconds}
    more = second_factor and bool(sets)
    if not more:
        # Whoever has registered nothing is asked to at the next sign-in, by whoever signs in.
        sets["password"] = ("password",)
    for one in registered:
        if not (one in _ALONE or one in _BESIDE_PASSWORD or one in _NO_SIGN_IN):
            sets[name_of(one.lower())] = ("unknown",)
    if user.flag("isSsprEnabled"):
        beside = [(one,) for one in seconds] if more else [()]
        for one in registered:
            for second in beside if one in _RESETS else ():
                together = tuple(dict.fromkeys((_RESETS[one], *second)))
                sets["-".join(("reset", name_of(one.lower()), *second))] = together
    return sets
