"""OpenBao: roles say who logs in, whom they let in beside, and what never ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.importing.export import in_memory
from locum.estate.importing.vault import ask_vault, read_vault
from locum.estate.inventory import NEVER, Inventory, Way
from locum.estate.problem import EstateError
from locum.model.estate import Kind
from tests.servers.openbao import OpenBaoProcess

TYPES = ("token", "approle", "userpass", "jwt", "oidc", "kubernetes", "cert")
MOUNTS = {f"{one}/": {"type": one} for one in TYPES}
SERVICE_ACCOUNTS = "bound_service_account_names", "bound_service_account_namespaces"


def _accounts(name: str) -> dict[str, list[str]]:
    return {key: [name] for key in SERVICE_ACCOUNTS}


def _read(**roles: Any) -> Inventory:
    said = {path.replace("__", "/"): role for path, role in roles.items()}
    return read_vault(
        in_memory(json.dumps(MOUNTS).encode(), "auth.json"), "v",
        in_memory(json.dumps(said).encode(), "roles.json"),
    )  # fmt: skip


def _ways(path: str, role: dict[str, Any]) -> list[Way]:
    return [*_read(**{path: {"data": role}}).ways[2:]]


@pytest.mark.parametrize(
    ("path", "role", "method", "ends"),
    [
        ("auth__approle__role__ci", {"secret_id_ttl": 0}, "api-key", NEVER),
        ("approle__role__ci", {"secret_id_ttl": 600}, "api-key", None),
        ("approle__role__ci", {"bind_secret_id": False}, "unknown", NEVER),
        ("userpass__users__ci", {}, "password", None),
        ("cert__certs__ci", {}, "x509-certificate", None),
        ("jwt__role__ci", {"bound_subject": "x"}, "oidc-workload-token", None),
        ("oidc__role__ci", {"role_type": "oidc", "bound_claims": {"g": 1}}, "federation", None),
        ("token__roles__ci", {"period": 60, "explicit_max_ttl": 0}, "api-key", NEVER),
        ("token__roles__ci", {"token_period": 60, "token_explicit_max_ttl": 9}, "api-key", None),
    ],
)
def test_a_role_is_entered_by_its_method(
    path: str, role: dict[str, Any], method: str, ends: str | None
) -> None:
    way = _ways(path, role)[0]
    assert (way.methods, way.ends) == ((method,), ends)
    assert way.name == f"v.{path.removeprefix('auth__').split('__')[0]}.ci"


@pytest.mark.parametrize(
    ("path", "role", "wider"),
    [
        ("approle__role__r", {"bind_secret_id": False}, "whoever knows its ID gets in"),
        ("jwt__role__r", {"bound_audiences": ["x"]}, "whoever its issuer vouches for gets in"),
        ("jwt__role__r", {"bound_subject": "*"}, "whoever its issuer vouches for gets in"),
        ("jwt__role__r", {"bound_claims": {"project": "x"}}, ""),
        ("kubernetes__role__r", _accounts("*"), "whoever its issuer"),
        ("kubernetes__role__r", _accounts("ci"), ""),
    ],
)
def test_a_role_that_asks_for_nobody_lets_more_in(
    path: str, role: dict[str, Any], wider: str
) -> None:
    found = "".join(one.wider for one in _ways(path, role))
    assert bool(found) == bool(wider)
    assert wider in found


def test_a_token_that_is_renewed_for_ever_never_ends() -> None:
    path = "approle__role__ci"
    [_, token] = _ways(path, {"token_period": 3600})
    assert (token.name, token.ends) == ("v.approle.ci/token", NEVER)
    for role in ({}, {"token_period": 60, "token_explicit_max_ttl": 600},
                 {"token_period": 60, "token_type": "batch"}):  # fmt: skip
        assert len(_ways(path, role)) == 1


def test_people_are_people_and_root_is_root() -> None:
    inventory = _read(
        userpass__users__al={"token_policies": ["root"]}, jwt__role__ci={"bound_subject": "x"}
    )
    found = {one.name: (one.kind, one.privileged) for one in inventory.holders[1:]}
    assert found == {"v.userpass.al": (Kind.HUMAN, True), "v.jwt.ci": (Kind.WORKLOAD, False)}


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("approle__roles__ci", {}),
        ("github__role__ci", {}),
        ("approle__role", {}),
        ("approle__role__ci", 5),
        ("approle__role__ci", {"secret_id_ttl": "600"}),
        ("approle__role__ci", {"secret_id_ttl": True}),
        ("approle__role__ci", {"bind_secret_id": "true"}),
        ("jwt__role__ci", {"bound_claims": ["x"]}),
        ("kubernetes__role__ci", {SERVICE_ACCOUNTS[0]: "*"}),
    ],
)
def test_what_is_no_role_is_refused_at_its_place(path: str, role: Any) -> None:
    with pytest.raises(EstateError) as refused:
        _read(**{path: role})
    assert refused.value.problems[0].position.file == "roles.json"


def test_a_running_vault_says_its_roles(openbao_server: OpenBaoProcess) -> None:
    client = openbao_server.client()
    client.sys.enable_auth_method("approle", path="estate")
    client.sys.enable_auth_method("userpass", path="people")
    try:
        client.write("auth/estate/role/ci", token_period="1h", secret_id_ttl="10m")
        client.write("auth/people/users/al", password="x")
        client.write("auth/token/roles/lasting", period="1h")
        inventory = ask_vault(openbao_server.address, openbao_server.root_token.reveal(), "v")
    finally:
        client.sys.disable_auth_method("estate")
        client.sys.disable_auth_method("people")
        client.delete("auth/token/roles/lasting")
    ends = {one.name: one.ends for one in inventory.ways}
    assert ends["v.estate.ci"] is None
    assert ends["v.estate.ci/token"] == NEVER
    assert ends["v.token.lasting"] == NEVER
    assert "v.people.al" in ends


@pytest.mark.parametrize(
    "asked",
    [
        ["postgresql", "--live", "host=127.0.0.1 port=1 user=x password=my s3cret"],
        ["postgresql", "--live", "postgresql://x:s3cret@127.0.0.1:1/x"],
        ["postgresql", "--live", "postgresql://x:p@s3cret@127.0.0.1:1/x"],
    ],
)
def test_no_error_says_a_secret_that_was_given(asked: list[str]) -> None:
    done = CliRunner().invoke(app, ["import", *asked])
    assert done.exit_code == 2
    assert "s3cret" not in done.output


def test_an_address_with_a_password_is_not_kept() -> None:
    done = CliRunner().invoke(app, ["import", "vault", "v", "--live", "http://x:s3cret@127.0.0.1"])
    assert done.exit_code == 2
    assert "holds no user name or password" in done.output
    assert "s3cret" not in done.output
