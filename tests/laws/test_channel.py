"""A password goes over the network only to a server that is known to be the right one."""

from __future__ import annotations

from pathlib import Path as FilePath

import msgspec
import pytest

from locum.estate.checking import check
from locum.laws.declaration import Finding, judge_path
from locum.model.cause import SqlProbe
from locum.model.estate import Database
from locum.model.path import Path, PostgresqlRole
from locum.model.refusal import Law
from tests.laws.declared import ESTATE, IDENTITY, NOW, path

ROLE = path(methods=("vaulted-secret",), target=PostgresqlRole("orders_admin", "orders-db"))


def found(sslmode: str, host: str = "db.internal", of: Path = ROLE) -> list[Finding]:
    database = msgspec.convert(
        {
            "name": "orders-db",
            "host": host,
            "port": 5432,
            "dbname": "orders",
            "admin": "locum",
            "admin_secret": "orders",
            "sslmode": sslmode,
        },
        Database,
    )
    there = msgspec.structs.replace(ESTATE, databases={"orders-db": database})
    return [one for one in judge_path(of, IDENTITY, there, NOW) if "sslmode" in one.breach.fact]


@pytest.mark.parametrize("sslmode", ["disable", "require", "verify-ca"])
def test_a_database_whose_name_is_not_verified_is_a_warning(sslmode: str) -> None:
    [finding] = found(sslmode)
    assert (finding.path, finding.severity) == (ROLE.name, "warning")
    assert (finding.breach.law, finding.breach.field) == (Law.NO_WEAKER, "target")
    assert f"`sslmode` {sslmode}" in finding.breach.fact
    assert "verify-full" in finding.breach.remedy
    assert finding.breach.clauses


def test_a_verified_database_is_no_finding() -> None:
    assert found("verify-full") == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_database_on_this_machine_is_no_finding(host: str) -> None:
    assert found("disable", host) == []


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example", "127.0.0.1.example"])
def test_what_only_looks_like_this_machine_is_a_finding(host: str) -> None:
    assert len(found("disable", host)) == 1


def test_the_database_of_a_probe_is_logged_in_to_as_well() -> None:
    [finding] = found("require", of=path(probe=SqlProbe("orders-db")))
    assert finding.breach.field == "probe"


def test_check_says_it_and_lets_the_estate_be_used(tmp_path: FilePath) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text(
        """version: 1
groups: {administrators: [dana], leads: [alice, bob], security: [dana]}
databases:
  orders-db: {host: db.internal, port: 5432, dbname: orders, admin: locum,
              admin_secret: orders, sslmode: require}
identities:
  alice: {kind: human, owner: a@example.com, primary: {method: passkey-device-bound}}
  bob: {kind: human, owner: b@example.com, primary: {method: passkey-device-bound}}
  dana: {kind: human, owner: d@example.com, primary: {method: passkey-device-bound}}
  orders:
    kind: workload
    owner: team
    primary: {method: oidc-workload-token, authority: {audiences: [orders-db]}}
    fallbacks:
      break-glass:
        method: vaulted-secret
        target: {postgresql-role: orders_admin, database: orders-db}
        causes: [outage]
        approvals: {of: leads, need: 1, within: 30m}
        limits: {ttl: 5m}
        review: {by: security, within: 24h}
        owner: team
        reason: tests
        until: 2026-12-31
"""
    )
    report = check(file, NOW)
    [problem] = [one for one in report.problems if "sslmode" in one.fact]
    assert (problem.severity, problem.rule, problem.position.line) == ("warning", "law-1", 17)
    assert not report.refused
