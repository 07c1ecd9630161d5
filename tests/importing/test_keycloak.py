"""Keycloak realms: flows say what must be presented, and what they leave open is a way in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from locum.estate.importing.export import in_memory
from locum.estate.importing.keycloak import read_keycloak
from locum.estate.importing.naming import name_of
from locum.estate.inventory import Inventory
from locum.estate.problem import EstateError
from tests.importing.whole import whole


def _run(requirement: str, authenticator: str = "", **more: Any) -> dict[str, Any]:
    flow = {"authenticatorFlow": True, "flowAlias": more.pop("flow")} if "flow" in more else {}
    of = {"authenticator": authenticator} if authenticator else {}
    return {"requirement": requirement, "authenticatorFlow": False, **of, **flow, **more}


def _flow(alias: str, *executions: dict[str, Any]) -> dict[str, Any]:
    numbered = [one | {"priority": at} for at, one in enumerate(executions)]
    return {"alias": alias, "authenticationExecutions": numbered[::-1]}


FORMS = _flow(
    "forms",
    _run("REQUIRED", "auth-username-password-form"),
    _run("CONDITIONAL", flow="Browser - Conditional OTP"),
)
OTP = _flow(
    "Browser - Conditional OTP",
    _run("REQUIRED", "conditional-user-configured"),
    _run("REQUIRED", "auth-otp-form"),
)
BROWSER = _flow(
    "browser",
    _run("ALTERNATIVE", "auth-cookie"),
    _run("DISABLED", "auth-spnego"),
    _run("ALTERNATIVE", "identity-provider-redirector"),
    _run("ALTERNATIVE", flow="forms"),
)
GRANT = _flow(
    "direct grant",
    _run("REQUIRED", "direct-grant-validate-username"),
    _run("REQUIRED", "direct-grant-validate-password"),
    _run("CONDITIONAL", flow="Browser - Conditional OTP"),
)
RESET = _flow(
    "reset credentials",
    _run("REQUIRED", "reset-credentials-choose-user"),
    _run("REQUIRED", "reset-credential-email"),
    _run("REQUIRED", "reset-password"),
)

FLOWS = [BROWSER, FORMS, OTP, GRANT, RESET]


def _user(*types: str, **more: Any) -> dict[str, Any]:
    return {"username": "al", "credentials": [{"type": one} for one in types], **more}


def _read(*users: Any, flows: Any = None, **more: Any) -> Inventory:
    flow = {} if flows is None else {"authenticationFlows": flows, "browserFlow": "browser"}
    realm = {"realm": "c", "users": [*users], **flow, **more}
    return whole(read_keycloak(in_memory(json.dumps(realm).encode(), "realm.json")))


def _methods(*users: Any, flows: Any = FLOWS, **more: Any) -> list[tuple[str, ...]]:
    return [one.methods for one in _read(*users, flows=flows, **more).ways]


def test_a_flow_that_asks_for_no_second_factor_leaves_the_password() -> None:
    assert _methods(_user("password", "otp")) == [("password", "totp")]
    assert _methods(_user("password")) == [("password",)]
    without = [BROWSER, _flow("forms", FORMS["authenticationExecutions"][-1])]
    assert _methods(_user("password", "otp"), flows=without) == [("password",)]
    assert _methods(_user("password", "webauthn")) == [("password",)]


def test_a_condition_about_something_else_may_not_hold() -> None:
    role = _flow("Browser - Conditional OTP", _run("REQUIRED", "conditional-user-role"),
                 _run("REQUIRED", "auth-otp-form"))  # fmt: skip
    assert _methods(_user("password", "otp"), flows=[BROWSER, FORMS, role]) == [("password",)]
    newer = _flow("Browser - Conditional OTP", _run("REQUIRED", "conditional-user-configured"),
                  _run("REQUIRED", "conditional-credential"),
                  _run("ALTERNATIVE", "auth-otp-form"),
                  _run("ALTERNATIVE", "webauthn-authenticator"))  # fmt: skip
    assert _methods(_user("password", "otp", "webauthn"), flows=[BROWSER, FORMS, newer]) == [
        ("password", "totp"),
        ("password", "passkey-synced"),
    ]


def test_whoever_signs_in_sets_up_what_is_required_and_missing() -> None:
    forms = _flow("forms", _run("REQUIRED", "auth-username-password-form"),
                  _run("REQUIRED", "auth-otp-form"))  # fmt: skip
    flows = [BROWSER, forms]
    assert _methods(_user("password", "otp"), flows=flows) == [("password", "totp")]
    assert _methods(_user("password"), flows=flows) == [("password",)]
    off = [{"alias": "CONFIGURE_TOTP", "enabled": False}]
    assert _methods(_user("password"), flows=flows, requiredActions=off) == [("unknown",)]


def test_a_client_that_takes_passwords_itself_goes_by_its_own_flow() -> None:
    passkey = _flow("forms", _run("ALTERNATIVE", "webauthn-authenticator-passwordless"))
    flows = [BROWSER, passkey, GRANT, OTP]
    user = _user("password", "webauthn-passwordless")
    assert _methods(user, flows=flows) == [("passkey-synced",)]
    client = {"clientId": "cli", "directAccessGrantsEnabled": True}
    assert _methods(user, flows=flows, clients=[client]) == [("passkey-synced",), ("password",)]
    off = client | {"enabled": False}
    assert _methods(user, flows=flows, clients=[off]) == [("passkey-synced",)]


def test_a_flow_that_nobody_can_follow_is_unknown() -> None:
    circle = [_flow("browser", _run("REQUIRED", flow="browser"))]
    assert _methods(_user("password"), flows=circle) == [("unknown",)]
    many = [_run("ALTERNATIVE", "auth-password-form"), _run("ALTERNATIVE", "auth-otp-form")]
    wide = [_flow("browser", *(_run("REQUIRED", flow="two") for _ in range(40))),
            _flow("two", *many)]  # fmt: skip
    assert _methods(_user("password", "otp"), flows=wide) == [("unknown",)]


def test_webauthn_is_not_attested_and_alone_counts_where_it_asks_for_a_pin() -> None:
    flows = [_flow("browser", _run("REQUIRED", "webauthn-authenticator"))]
    user, policy = _user("webauthn"), "webAuthnPolicyUserVerificationRequirement"
    assert _methods(user, flows=flows) == [("unknown",)]
    assert _methods(user, flows=flows, **{policy: "required"}) == [("passkey-synced",)]


def test_a_reset_asks_for_what_its_flow_asks_for() -> None:
    user = _user("password", "otp", email="al@example.com")
    reset = {"resetPasswordAllowed": True, "resetCredentialsFlow": "reset credentials"}
    assert _methods(user, **reset)[1:] == [("email-code",)]
    further = _flow("reset credentials", *RESET["authenticationExecutions"][::-1],
                    _run("REQUIRED", "auth-otp-form"))  # fmt: skip
    assert _methods(user, flows=[*FLOWS[:4], further], **reset)[1:] == [("totp", "email-code")]
    assert _methods(_user("password"), **reset) == [("password",)]


def test_roles_through_groups_and_made_of_others_are_powerful() -> None:
    groups = [
        {"name": "ops", "path": "/ops", "realmRoles": ["boss"],
         "subGroups": [{"name": "night", "path": "/ops/night"}]},
        {"name": "it", "path": "/it", "clientRoles": {"realm-management": ["manage-users"]}},
        {"name": "shop", "path": "/shop", "clientRoles": {"shop": ["manage-users"]}},
    ]  # fmt: skip
    roles = {
        "realm": [
            {"name": "boss", "composites": {"realm": ["chief"]}},
            {"name": "chief", "composites": {"client": {"realm-management": ["realm-admin"]}}},
        ]
    }
    for more, powerful in (
        ({"groups": ["/ops/night"]}, True),
        ({"groups": ["/it"]}, True),
        ({"realmRoles": ["boss"]}, True),
        ({"groups": ["/shop"]}, False),
    ):
        [holder] = _read(_user("password", **more), groups=groups, roles=roles).holders
        assert holder.privileged == powerful


def test_a_client_whose_service_account_administers_is_privileged() -> None:
    account = {"username": "service-account-x", "serviceAccountClientId": "x",
               "clientRoles": {"realm-management": ["manage-users"]}}  # fmt: skip
    client = {"clientId": "x", "serviceAccountsEnabled": True}
    assert [one.privileged for one in _read(account, clients=[client]).holders] == [True]


def test_a_user_is_no_client_and_each_provider_is_a_way() -> None:
    elsewhere = [{"identityProvider": one} for one in "abc"]
    user = {"username": "client.x", "federatedIdentities": elsewhere}
    client = {"clientId": "x", "serviceAccountsEnabled": True}
    inventory = _read(user, clients=[client])
    assert {one.name for one in inventory.holders} == {name_of("user client.x"), "client.x"}
    assert len({one.name for one in inventory.ways}) == 4
    with pytest.raises(EstateError, match="stands here a second time"):
        _read(_user("password"), _user("otp"))


@pytest.mark.parametrize(
    ("user", "more"),
    [
        (_user() | {"credentials": 5}, {}),
        (_user() | {"credentials": [5]}, {}),
        (_user(realmRoles="admin"), {}),
        (_user(clientRoles=["x"]), {}),
        (_user(federatedIdentities={"a": 1}), {}),
        (_user(enabled="true"), {}),
        (_user(groups=[None]), {}),
        (_user(groups=["/away"]), {}),
        (_user(), {"resetPasswordAllowed": "true"}),
        (_user(), {"clients": [{"clientId": "x", "serviceAccountsEnabled": "true"}]}),
        (_user(), {"groups": [5]}),
        (_user(), {"authenticationFlows": [{"alias": "x", "authenticationExecutions": 5}]}),
    ],
)
def test_what_is_of_another_kind_is_refused(user: Any, more: dict[str, Any]) -> None:
    with pytest.raises(EstateError) as refused:
        _read(user, **more)
    [problem] = refused.value.problems
    assert problem.rule in ("type", "missing-key")
    assert problem.position.column > 1
