"""Realms, tenants, databases and vaults; some as they run, and AWS as moto plays it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.checking import check, of_chart
from locum.estate.graph.chart import chart
from locum.estate.importing.aws_live import ask_aws
from locum.estate.importing.entra import read_entra
from locum.estate.importing.export import in_memory
from locum.estate.importing.keycloak import read_keycloak
from locum.estate.importing.postgresql import ask_postgresql, read_postgresql
from locum.estate.importing.proposing import propose
from locum.estate.importing.vault import ask_vault, read_vault
from locum.estate.inventory import Inventory, Role
from locum.estate.problem import EstateError
from tests.importing.whole import whole
from tests.servers.openbao import OpenBaoProcess
from tests.servers.postgres import PostgresProcess

NOW = datetime(2026, 11, 24, tzinfo=UTC)

REALM = {
    "realm": "corp",
    "resetPasswordAllowed": True,
    "users": [
        {
            "username": "alice",
            "email": "alice@example.com",
            "enabled": True,
            "credentials": [{"type": "password"}, {"type": "otp"}],
            "realmRoles": ["admin"],
        },
        {
            "username": "bob",
            "credentials": [{"type": "password"}, {"type": "webauthn"}, {"type": "carrier-pigeon"}],
        },
        {"username": "carol", "federatedIdentities": [{"identityProvider": "partner"}]},
        {"username": "service-account-x", "serviceAccountClientId": "x"},
    ],
    "clients": [
        {
            "clientId": "x",
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": "client-secret",
        }
    ],
}
REGISTERED = {
    "value": [
        {
            "id": "1",
            "userPrincipalName": "alice@example.com",
            "isAdmin": True,
            "isSsprEnabled": True,
            "methodsRegistered": ["fido2SecurityKey", "mobilePhone", "email"],
        },
        {"id": "2", "userPrincipalName": "emergency@example.com", "methodsRegistered": []},
    ]
}
POLICIES = {
    "value": [
        {
            "state": "enabled",
            "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": ["2"]}},
            "grantControls": {"builtInControls": ["mfa", "compliantDevice"]},
        },
        {"state": "disabled", "conditions": {"users": {"includeUsers": ["All"]}}},
    ]
}
ROLES = """\
rolname,rolsuper,rolcanlogin,rolvaliduntil
postgres,t,t,
orders,f,t,2027-01-01 00:00:00+00
readers,f,f,
"""
HBA = """\
# TYPE  DATABASE  USER  ADDRESS  METHOD
local   all  postgres  trust
hostssl all  all  10.0.0.0/8  scram-sha-256
hostssl all  orders  10.0.0.0 255.0.0.0  cert
host    all  all  0.0.0.0/0  reject
"""
MOUNTS = {"token/": {"type": "token"}, "userpass/": {"type": "userpass"}, "jwt/": {"type": "jwt"}}


def _keycloak() -> Inventory:
    return whole(read_keycloak(in_memory(json.dumps(REALM).encode(), "realm.json")))


def _entra() -> Inventory:
    policies = json.dumps(POLICIES).encode()
    users = in_memory(json.dumps(REGISTERED).encode(), "users.json")
    return whole(read_entra(users, in_memory(policies, "policies.json")))


def _postgresql() -> Inventory:
    return read_postgresql(
        in_memory(ROLES.encode(), "roles.csv"), in_memory(HBA.encode(), "pg_hba.conf")
    )


def _vault() -> Inventory:
    return read_vault(in_memory(json.dumps(MOUNTS).encode(), "auth.json"), "corp")


def _rules(inventory: Inventory) -> set[tuple[str, str]]:
    report = of_chart(chart(inventory), NOW)
    return {(one.rule, one.subject) for one in (*report.problems, *report.notes)}


def _ways(inventory: Inventory, identity: str) -> list[tuple[Role, tuple[str, ...]]]:
    return [(one.role, one.methods) for one in inventory.ways if one.identity == identity]


def test_a_realm_that_lets_people_reset_by_mail_has_a_weak_way_in() -> None:
    inventory = _keycloak()
    found = _rules(inventory)
    assert ("weaker-behind", "alice/reset") in found
    assert ("unknown-root", "mailbox:alice@example.com") in found
    assert ("weaker-behind", "bob/unknown") in found
    assert _ways(inventory, "carol") == [(Role.PRIMARY, ("federation",))]
    assert ("never-ends", "client.x") in found
    assert [one.name for one in inventory.holders if one.privileged] == ["alice"]


def test_whoever_a_policy_leaves_out_drops_its_checks() -> None:
    found, inventory = _rules(_entra()), _entra()
    excluded = next(one.name for one in inventory.holders if one.name.startswith("emergency"))
    alice = next(one.name for one in inventory.holders if one.name.startswith("alice"))
    assert ("checks-dropped", excluded) in found
    assert ("checks-dropped", alice) not in found
    assert ("weaker-behind", f"{alice}/password-sms-code") in found
    assert ("weaker-behind", f"{alice}/reset-email-sms-code") in found


def test_trust_is_worth_the_least_and_reject_is_no_way_in() -> None:
    inventory = _postgresql()
    assert _ways(inventory, "postgres") == [
        (Role.PRIMARY, ("postgresql-trust",)),
        (Role.FOUND, ("password",)),
    ]
    assert _ways(inventory, "orders") == [
        (Role.PRIMARY, ("password",)),
        (Role.FOUND, ("x509-certificate",)),
    ]
    assert {one.name for one in inventory.holders} == {"postgres", "orders"}
    assert [one.name for one in inventory.holders if one.privileged] == ["postgres"]


def test_a_vaults_unseal_keys_are_unknown_until_somebody_says_how_they_are_kept() -> None:
    assert ("unknown-root", "custodian:unseal-keys-of-corp") in _rules(_vault())


@pytest.mark.parametrize("make", [_keycloak, _entra, _postgresql, _vault])
def test_what_is_proposed_can_be_adopted(make: Any, tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    file.write_text(propose(make()))
    report = check(file, NOW)
    assert report.assessment is not None, report.problems


@pytest.mark.parametrize(
    ("name", "text", "rule", "line"),
    [
        ("keycloak", '{"realm": "x"}', "missing-key", 1),
        ("keycloak", '{"users": [', "yaml", 1),
        ("entra", "[]", "missing-key", 1),
        ("vault", "{}", "type", 1),
        ("vault", '{"a/": {}}', "missing-key", 1),
        ("hba", "# fine\nhost all all\n", "form", 2),
        ("roles", "rolname\nx\n", "missing-key", 1),
        ("roles", "rolname,rolsuper,rolcanlogin,rolvaliduntil\nx,f,t,soon\n", "value", 2),
    ],
)
def test_a_broken_export_is_refused_at_its_place(
    name: str, text: str, rule: str, line: int
) -> None:
    export = in_memory(text.encode(), "f")
    readers = {
        "keycloak": lambda: whole(read_keycloak(export)),
        "entra": lambda: whole(read_entra(export)),
        "vault": lambda: read_vault(export, "v"),
        "hba": lambda: read_postgresql(in_memory(ROLES.encode(), "r"), export),
        "roles": lambda: read_postgresql(export, in_memory(HBA.encode(), "h")),
    }
    with pytest.raises(EstateError) as refused:
        readers[name]()
    [problem] = refused.value.problems
    assert (problem.rule, problem.position.file, problem.position.line) == (rule, "f", line)


def test_a_running_postgresql_says_who_gets_in(postgres_server: PostgresProcess) -> None:
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS estate_ended")
        connection.execute("CREATE ROLE estate_ended LOGIN VALID UNTIL '2020-01-01'")
    inventory = ask_postgresql(postgres_server.dsn(), NOW)
    names = {one.name for one in inventory.holders}
    assert "postgres" in names
    assert not [one for one in names if one.startswith("estate")]
    assert (Role.PRIMARY, ("password",)) in _ways(inventory, "postgres")


def test_a_running_vault_says_by_what_one_gets_in(openbao_server: OpenBaoProcess) -> None:
    inventory = ask_vault(openbao_server.address, openbao_server.root_token.reveal(), "test")
    [vault] = [one for one in inventory.roots if one.name == "vault:test"]
    assert ("api-key",) in [way.methods for way in vault.ways]


def test_servers_that_cannot_be_asked_say_so() -> None:
    nobody = "127.0.0.1:1"
    for wanted in (
        ["import", "vault", "corp", "--live", f"http://{nobody}"],
        ["import", "postgresql", "--live", f"postgresql://{nobody}/x"],
        ["import", "vault", "corp"],
        ["import", "postgresql"],
        ["import", "aws"],
    ):
        done = CliRunner().invoke(app, wanted)
        assert done.exit_code == 2, done.output
        assert "Traceback" not in done.output


def test_a_live_account_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        iam = boto3.client("iam", region_name="us-east-1")
        iam.create_user(UserName="deployer")
        for _ in range(2):
            iam.create_access_key(UserName="deployer")
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
        }
        iam.create_role(RoleName="open", AssumeRolePolicyDocument=json.dumps(trust))
        inventory = whole(ask_aws(boto3.Session(region_name="us-east-1")))
    found = _rules(inventory)
    [(_, second)] = [one for one in found if one[0] == "second-key"]
    assert second.startswith("deployer/access-key-2-20")
    assert ("unknown-root", "custodian:anybody") in found
