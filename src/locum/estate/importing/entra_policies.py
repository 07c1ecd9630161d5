"""Conditional Access: what is demanded of whom, and whom a policy leaves out.

A group or role that a policy leaves out may hold anybody, so its members must be said. Those whom a
policy takes in by a group that is not told of are not taken in: nobody knows that they are asked.

Source: Microsoft Graph, `conditionalAccessPolicy` and `conditionalAccessUsers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.listing import by_key, records
from locum.estate.importing.naming import name_of

_ALL, _GUESTS = "All", "GuestsOrExternalUsers"
_STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
_ASKS_A_SECOND = ("mfa", "authentication-strength")
_PARTIAL = ("userRiskLevels", "signInRiskLevels", "servicePrincipalRiskLevels")
Members = Mapping[str, frozenset[str]]
"""Ids of users, by the group or role that they are in."""


class Person(msgspec.Struct, frozen=True):
    """Whom a policy may name.

    Args:
        names: the id and the login.
    """

    names: frozenset[str]
    guest: bool


class Policy(msgspec.Struct, frozen=True):
    """A policy that is on.

    Args:
        everywhere: it holds for each sign-in, whatever to and from where.
    """

    controls: frozenset[str]
    everybody: bool
    included: frozenset[str]
    excluded: frozenset[str]
    without_guests: bool
    everywhere: bool

    def asks(self, person: Person) -> bool:
        """Whether it holds for somebody."""
        left_out = bool(person.names & self.excluded) or (self.without_guests and person.guest)
        return not left_out and (self.everybody or bool(person.names & self.included))

    @property
    def second_factor(self) -> bool:
        """Whether each sign-in of those whom it holds for takes more than a password."""
        return self.everywhere and any(one.startswith(_ASKS_A_SECOND) for one in self.controls)


def read_policies(export: Export, members: Members) -> Iterator[Policy]:
    """The policies that are on.

    Raises:
        EstateError: it is no list of policies, or one leaves out a group that is not told of.
    """
    for _, one in records(export, "this is no list of policies", ("value",)):
        state = one.needed("state", "A policy")
        if state not in _STATES:
            one.refuse("value", f"`state` cannot be `{state[:40]}`.")
        if state == "enabled":
            yield _policy(one, members)


def read_members(export: Export) -> dict[str, frozenset[str]]:
    """Users by the group or role that they are in.

    Raises:
        EstateError: it is no object of lists of members.
    """
    return {
        group: frozenset(one.needed("id", "A member") for one in of)
        for group, of in by_key(export, "each group's members stand under its id")
    }


def _policy(one: Fields, members: Members) -> Policy:
    conditions = one.inside("conditions")
    users, grants = conditions.inside("users"), one.inside("grantControls")
    controls = [word.lower() for word in grants.texts("builtInControls")]
    strength = grants.inside("authenticationStrength")
    if "authenticationStrength" in grants:
        called = strength.text("displayName") or strength.text("id")
        controls.append(f"authentication-strength:{name_of(called)}"[:63])
    guests = users.inside("excludeGuestsOrExternalUsers")
    included = [*users.texts("includeUsers")]
    for key in ("includeGroups", "includeRoles"):
        included += [name for group in users.texts(key) for name in members.get(group, ())]
    excluded = [*users.texts("excludeUsers")]
    for key in ("excludeGroups", "excludeRoles"):
        for group in users.texts(key):
            if group not in members:
                one.refuse(
                    "missing-key",
                    f"A policy leaves out `{group[:60]}`, and nothing says who is in there.",
                    "Put the answer of groups/ID/members (of a role: directoryRoles/"
                    "roleTemplateId=ID/members) under its id, and give that with --groups.",
                )  # fmt: skip
            excluded += members[group]
    return Policy(
        frozenset(controls),
        _ALL in included,
        frozenset(included),
        frozenset(excluded),
        _GUESTS in excluded or bool(guests.text("guestOrExternalUserTypes")),
        _everywhere(conditions),
    )


def _everywhere(conditions: Fields) -> bool:
    applications = conditions.inside("applications")
    types = conditions.texts("clientAppTypes")
    return (
        ("applications" not in conditions or _ALL in applications.texts("includeApplications"))
        and not applications.texts("excludeApplications")
        and not any(conditions.texts(key) for key in _PARTIAL)
        and "platforms" not in conditions
        and "locations" not in conditions
        and (not types or "all" in types)
    )
