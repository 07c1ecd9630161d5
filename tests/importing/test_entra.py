"""Entra ID: whom a policy leaves out, and what signs in or resets without one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from locum.estate.importing.entra import read_entra
from locum.estate.importing.export import Export, in_memory
from locum.estate.inventory import Inventory
from locum.estate.problem import EstateError
from tests.importing.whole import whole


def _export(value: Any) -> Export:
    return in_memory(json.dumps(value).encode(), "f")


def _user(*registered: str, **more: Any) -> dict[str, Any]:
    return {"id": "1", "userPrincipalName": "em", "methodsRegistered": [*registered], **more}


def _policy(grants: Any = None, conditions: Any = None, **users: Any) -> dict[str, Any]:
    return {
        "state": "enabled",
        "conditions": {"users": {"includeUsers": ["All"], **users}, **(conditions or {})},
        "grantControls": grants or {"builtInControls": ["mfa"]},
    }


def _read(user: Any, *policies: Any, groups: Any = None) -> Inventory:
    return whole(
        read_entra(
            _export({"value": [user]}),
            _export({"value": [*policies]}) if policies else None,
            _export(groups) if groups else None,
        )
    )


def _methods(inventory: Inventory) -> list[tuple[str, ...]]:
    return [one.methods for one in inventory.ways]


def _lacks(inventory: Inventory) -> bool:
    [holder] = inventory.holders
    return bool(holder.demands - inventory.ways[0].demands)


@pytest.mark.parametrize("key", ["excludeGroups", "excludeRoles"])
def test_whoever_is_left_out_by_a_group_drops_its_checks(key: str) -> None:
    policy = _policy(**{key: ["g"]})
    assert _lacks(_read(_user(), policy, groups={"g": {"value": [{"id": "1"}]}}))
    assert not _lacks(_read(_user(), policy, groups={"g": [{"id": "2"}]}))
    with pytest.raises(EstateError, match="nothing says who is in there"):
        _read(_user(), policy)
    with pytest.raises(EstateError, match="one page of several"):
        _read(_user(), policy, groups={"g": {"value": [], "@odata.nextLink": "https://x"}})


@pytest.mark.parametrize(
    "users",
    [
        {"excludeUsers": ["GuestsOrExternalUsers"]},
        {"excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest"}},
    ],
)
def test_guests_that_are_left_out_drop_their_checks(users: dict[str, Any]) -> None:
    assert _lacks(_read(_user(userType="guest"), _policy(**users)))
    assert not _lacks(_read(_user(userType="member"), _policy(**users)))


def test_an_authentication_strength_is_a_control() -> None:
    grants = {"builtInControls": [], "authenticationStrength": {"displayName": "phishing"}}
    inventory = _read(_user(), _policy(grants, excludeUsers=["1"]))
    [holder] = inventory.holders
    assert holder.demands == {"authentication-strength:phishing"}
    assert inventory.ways[0].demands == set()


def test_what_is_registered_and_not_asked_for_leaves_the_password() -> None:
    user = _user("softwareOneTimePasscode")
    assert _methods(_read(user, _policy())) == [("password", "totp")]
    both = [("password", "totp"), ("password",)]
    somewhere = {"applications": {"includeApplications": ["797f4846"]}}
    for policies in (
        [],
        [_policy(excludeUsers=["1"])],
        [_policy(conditions=somewhere)],
        [_policy(conditions={"locations": {"includeLocations": ["All"]}})],
        [_policy(conditions={"userRiskLevels": ["high"]})],
        [_policy({"builtInControls": ["compliantDevice"]})],
        [_policy(includeUsers=["2"])],
        [_policy(includeUsers=[], includeGroups=["g"])],
    ):
        assert _methods(_read(user, *policies)) == both
    by_group = _policy(includeUsers=[], includeGroups=["g"])
    assert _methods(_read(user, by_group, groups={"g": [{"id": "1"}]})) == both[:1]


def test_a_method_of_no_table_may_sign_in_alone_and_is_unknown() -> None:
    ways = _read(_user("fido2SecurityKey", "temporaryAccessPass", "securityQuestion"), _policy())
    assert _methods(ways) == [("passkey-device-bound",), ("unknown",)]


def test_a_password_is_reset_by_whatever_may_reset_it_beside_what_is_asked_for() -> None:
    user = _user("softwareOneTimePasscode", "mobilePhone", "email", isSsprEnabled=True)
    asked = _read(user, _policy())
    resets = {one.name: one.methods for one in asked.ways if "/reset" in one.name}
    assert resets["em/reset-mobilephone-sms-code"] == ("sms-code",)
    assert resets["em/reset-mobilephone-totp"] == ("sms-code", "totp")
    assert resets["em/reset-email-totp"] == ("email-code", "totp")
    assert ("email-code",) not in resets.values()
    assert ("email-code",) in _methods(_read(user))
    assert ("unknown",) in _methods(_read(_user("securityQuestion", isSsprEnabled=True)))


@pytest.mark.parametrize(
    "change",
    [{"isAdmin": "true"}, {"isSsprEnabled": "true"}, {"methodsRegistered": "email"}, {"id": [1]}],
)
def test_a_user_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EstateError) as refused:
        _read(_user() | change)
    assert refused.value.problems[0].rule == "type"


@pytest.mark.parametrize(
    "change",
    [
        {"state": "on"},
        {"state": None},
        {"conditions": []},
        {"grantControls": {"builtInControls": 5}},
        {"conditions": {"users": {"excludeUsers": "1"}}},
    ],
)
def test_a_policy_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EstateError):
        _read(_user(), _policy() | change)


def test_the_first_page_is_not_the_whole() -> None:
    with pytest.raises(EstateError, match="one page of several"):
        [*read_entra(_export({"value": [], "@odata.nextLink": "https://graph/next"}))]
