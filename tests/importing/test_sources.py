"""Exports of others become inventories that can be charted, checked and proposed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.checking import check, of_chart
from locum.estate.graph.chart import chart
from locum.estate.importing.aws import read_aws
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.export import in_memory
from locum.estate.importing.kubernetes import read_kubernetes
from locum.estate.importing.naming import name_of, root_of
from locum.estate.importing.proposing import propose
from locum.estate.importing.ssh_host import read_ssh_host
from locum.estate.inventory import Inventory, Role
from locum.estate.problem import EstateError
from locum.estate.schema_roots import ROOT_PATTERN
from tests.importing.whole import whole

NOW = datetime(2026, 11, 24, tzinfo=UTC)

TABLE = """\
identity,kind,role,method,owner,rests_on,created,last_used,ends,active
alice,human,primary,password+totp,alice@example.com,device:phone-1,,,,
alice,human,found,email-code,,mailbox:alice@example.com,2024-01-01,never,never,
Payments API,workload,primary,oidc-workload-token,pay@example.com,,2026-01-01,,,
Payments API,workload,found,api-key,,,2023-05-01,2026-11-01,never,true
"""

REPORT = """\
user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date
<root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00+00:00,true,\
2026-01-02T03:04:05+00:00,2019-01-01T00:00:00+00:00,not_supported,false,true,\
2019-02-01T00:00:00+00:00,2020-01-01T00:00:00+00:00,false,N/A,N/A
deployer,arn:aws:iam::111122223333:user/deployer,2022-01-01T00:00:00+00:00,false,N/A,N/A,N/A,\
false,true,2022-01-01T00:00:00+00:00,2026-11-20T00:00:00+00:00,true,2024-06-01T00:00:00+00:00,N/A
erin,arn:aws:iam::111122223333:user/erin,2022-01-01T00:00:00+00:00,true,\
2026-11-01T00:00:00+00:00,2025-01-01T00:00:00+00:00,N/A,true,false,N/A,N/A,false,N/A,N/A
"""


def _details(**more: Any) -> dict[str, Any]:
    trust = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {
                    "Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.example"
                },
                "Action": "sts:AssumeRoleWithWebIdentity",
            }
        ]
    }
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    return {
        "UserDetailList": [
            {"UserName": "deployer", "GroupList": ["admins"], "AttachedManagedPolicies": []},
            {"UserName": "erin", "GroupList": [], "AttachedManagedPolicies": []},
        ],
        "GroupDetailList": [
            {"GroupName": "admins", "AttachedManagedPolicies": [{"PolicyArn": administrator}]}
        ],
        "RoleDetailList": [
            {"RoleName": "ci", "AssumeRolePolicyDocument": trust, "AttachedManagedPolicies": []},
            {
                "RoleName": "open",
                "AssumeRolePolicyDocument": {
                    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
                },
                "AttachedManagedPolicies": [],
            },
        ],
        **more,
    }


MANIFESTS = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: builder, namespace: ci}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: builder-token
  namespace: ci
  annotations: {kubernetes.io/service-account.name: builder}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: builder-admin}
roleRef: {name: cluster-admin}
subjects: [{kind: ServiceAccount, name: builder, namespace: ci}]
"""

KEYS = b"""\
# two keys
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExample alice@example.com
from="10.0.0.0/8" sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2g alice-yubikey
"""


def _rules(inventory: Inventory) -> set[tuple[str, str]]:
    report = of_chart(chart(inventory), NOW)
    return {(one.rule, one.subject) for one in (*report.problems, *report.notes)}


def _csv() -> Inventory:
    return whole(read_csv(in_memory(TABLE.encode(), "ways.csv")))


def _aws() -> Inventory:
    details = json.dumps(_details()).encode()
    report = in_memory(REPORT.encode(), "report.csv")
    return whole(read_aws(in_memory(details, "details.json"), report))


def _kubernetes() -> Inventory:
    return read_kubernetes(in_memory(MANIFESTS.encode(), "all.yaml"), "prod")


def _ssh() -> Inventory:
    sudoers = b"root ALL=(ALL) ALL\nalice ALL=(ALL) NOPASSWD: ALL\n%wheel ALL=(ALL) ALL\n"
    return read_ssh_host(
        "web-1", [("alice", in_memory(KEYS, "keys"))], in_memory(b"# defaults\n", "sshd"),
        in_memory(sudoers, "sudoers"),
    )  # fmt: skip


def test_a_table_gives_identities_with_their_ways() -> None:
    found = _rules(_csv())
    key, code = (one.name for one in reversed(_csv().ways) if one.role is Role.FOUND)
    assert key.startswith(f"{name_of('Payments API')}/api-key-")
    assert ("long-lived-beside", key) in found
    assert ("weaker-behind", code) in found
    assert ("unknown-root", "mailbox:alice@example.com") in found


def test_an_account_shows_its_second_key_its_root_key_and_its_open_role() -> None:
    inventory, found = _aws(), _rules(_aws())
    assert ("second-key", "deployer/access-key-2-2024-06-01") in found
    root = name_of("<root_account>")
    assert ("never-ends", f"{root}/access-key-1-2019-02-01") in found or (
        "old",
        f"{root}/access-key-1-2019-02-01",
    ) in found
    assert ("unknown-root", "custodian:anybody") in found
    assert {one.name for one in inventory.holders if one.privileged} == {root, "deployer"}
    [erin] = [one for one in inventory.ways if one.identity == "erin"]
    assert erin.methods == ("password", "totp")


def test_a_token_secret_beside_a_projected_token_is_found() -> None:
    inventory = _kubernetes()
    assert ("long-lived-beside", "ci.builder/builder-token") in _rules(inventory)
    assert [one.name for one in inventory.holders if one.privileged] == ["ci.builder"]


def test_a_host_that_takes_passwords_has_a_side_door() -> None:
    inventory = _ssh()
    [holder] = inventory.holders
    assert holder.privileged
    assert [(one.role, one.methods) for one in inventory.ways] == [
        (Role.PRIMARY, ("ssh-key",)),
        (Role.FOUND, ("ssh-key",)),
        (Role.FOUND, ("password",)),
    ]
    assert ("weaker-behind", f"{holder.name}/password") in _rules(inventory)
    sshd = in_memory(b"PasswordAuthentication no\n", "sshd")
    shut = read_ssh_host("web-1", [("alice", in_memory(KEYS, "k"))], sshd)
    assert all(one.methods != ("password",) for one in shut.ways)


@pytest.mark.parametrize("make", [_csv, _aws, _kubernetes, _ssh])
def test_what_is_proposed_can_be_adopted(make: Any, tmp_path: Path) -> None:
    file = tmp_path / "proposed.yaml"
    file.write_text(propose(make()))
    report = check(file, NOW)
    assert report.assessment is not None, report.problems
    names = {one.name for one in make().holders}
    assert names <= set(report.assessment.chart.names)


@pytest.mark.parametrize(
    ("name", "text", "rule", "line"),
    [
        ("csv", "", "empty", 1),
        ("csv", "identity,kind,role\na,human,primary\n", "missing-key", 1),
        ("csv", "identity,kind,role,method,secret\n", "unknown-key", 1),
        ("csv", "identity,kind,role,method\nalice,human,primary\n", "value", 2),
        ("csv", "identity,kind,role,method\nalice,robot,primary,totp\n", "value", 2),
        ("csv", "identity,kind,role,method,ends\na,human,primary,totp,soon\n", "value", 2),
        ("csv", 'identity,kind,role,method\n"a,human,primary,totp\n', "yaml", 2),
        ("aws", '{"UserDetailList": [', "yaml", 1),
        ("aws", "{}", "missing-key", 1),
        ("aws", '{"UserDetailList": [], "UserDetailList": []}', "duplicate-key", 1),
        ("aws", '{"UserDetailList": ' + "[" * 100_000 + "}", "bounds", 1),
        ("kubernetes", "a: [", "yaml", 1),
        ("kubernetes", "a: b", "missing-key", 1),
        ("ssh", "this is no key\n", "form", 1),
    ],
)
def test_a_broken_export_is_refused_at_its_place(
    name: str, text: str, rule: str, line: int
) -> None:
    export = in_memory(text.encode(), "f")
    readers = {
        "csv": lambda: whole(read_csv(export)),
        "aws": lambda: whole(read_aws(export)),
        "kubernetes": lambda: read_kubernetes(export, "c"),
        "ssh": lambda: read_ssh_host("h", [("alice", export)]),
    }
    with pytest.raises(EstateError) as refused:
        readers[name]()
    [problem] = refused.value.problems
    assert (problem.rule, problem.position.file) == (rule, "f")
    assert problem.position.line == line
    assert problem.remedy


def test_an_export_in_another_encoding_is_refused() -> None:
    with pytest.raises(EstateError, match="UTF-8"):
        whole(read_aws(in_memory(b'{"UserDetailList": "\xff"}', "f")))


def test_two_names_never_become_one() -> None:
    assert name_of("Alice") != name_of("alice")
    assert name_of("a b") != name_of("a-b")
    assert name_of("alice") == "alice"
    assert name_of(name_of("Alice")) != name_of("Alice")
    umlauts = [root_of("mailbox", one) for one in ("müller@x.ch", "möller@x.ch", "m-ller@x.ch")]
    assert len(set(umlauts)) == 3
    assert root_of("mailbox", "x" * 300) != root_of("mailbox", "x" * 301)
    assert all(re.fullmatch(ROOT_PATTERN, one) for one in (*umlauts, root_of("device", "")))
    assert len(name_of("x" * 500)) <= 63


def test_an_import_answers_at_once_and_proposes(tmp_path: Path) -> None:
    table, proposed, graph = tmp_path / "t.csv", tmp_path / "p.yaml", tmp_path / "graph"
    table.write_text(TABLE)
    done = CliRunner().invoke(
        app, ["import", "csv", str(table), "--propose", str(proposed), "--store", str(graph)]
    )
    assert done.exit_code == 1, done.output
    assert "long-lived-beside" in done.output
    assert CliRunner().invoke(app, ["check", str(proposed)]).exit_code == 1
    assert "long-lived-beside" in CliRunner().invoke(app, ["check", str(graph)]).output


def test_an_import_that_cannot_be_read_says_where_and_exits_2(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("identity,kind,role,method\nalice,human\n")
    done = CliRunner().invoke(app, ["import", "csv", str(table)])
    assert done.exit_code == 2
    assert f"{table}:2" in done.output
