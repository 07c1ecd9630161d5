"""A primary that is weaker than its label is found, once for what makes it so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.checked import checked, person, told, workload

MESH = 'rests_on: ["authority:mesh"]'


def test_certificates_are_undermined_by_whoever_administers_their_authority(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("eve", "method: password")
        + workload("api", f"method: x509-certificate, {MESH}")
        + workload("job", f"method: spiffe-x509-svid, {MESH}"),
        rest="  authority:mesh: {administered_by: [eve]}",
    )
    [(subject, found)] = told(report, "undermined").items()
    assert (subject, found.reach, found.severity) == ("authority:mesh", 2, "warning")
    assert found.fact.endswith("less than the primaries of 2 identities that rest on it.")
    assert found.chain[-1] == "eve administers authority:mesh."
    assert found.remedy


def test_passkeys_are_undermined_by_the_identity_provider_before_them(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("pat", 'method: passkey-device-bound, rests_on: ["identity-provider:corp"]'),
        rest="  identity-provider:corp: {ways: [{method: [password, totp]}]}",
    )
    [found] = told(report, "undermined").values()
    assert found.subject == "identity-provider:corp"
    assert found.fact.startswith("It is worth two factors, typed, bearer, less than the primary of")
    assert found.chain[0].startswith("The password of identity-provider:corp is taken")


def test_an_agent_is_undermined_by_the_person_whom_it_acts_for(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("sam", "method: password")
        + "  helper: {kind: agent, owner: x@example.com, acts_for: sam, "
        "primary: {method: oauth-token-dpop}}\n",
    )
    assert list(told(report, "undermined")) == ["sam"]


def test_a_person_who_is_undermined_is_not_told_again_for_their_agents(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("pat", 'method: passkey-device-bound, rests_on: ["identity-provider:corp"]')
        + "  helper: {kind: agent, owner: x@example.com, acts_for: pat, "
        "primary: {method: oauth-token-dpop}}\n",
        rest="  identity-provider:corp: {ways: [{method: password}]}",
    )
    assert list(told(report, "undermined")) == ["identity-provider:corp"]


def test_what_is_as_strong_as_what_rests_on_it_is_no_finding(tmp_path: Path) -> None:
    report = checked(
        tmp_path,
        person("eve") + workload("api", f"method: x509-certificate, {MESH}"),
        rest="  authority:mesh: {administered_by: [eve]}",
    )
    assert not told(report, "undermined")


@pytest.mark.parametrize(("administrators", "severity"), [("ada", "error"), ("root", "warning")])
def test_what_undermines_an_administrator_is_an_error(
    tmp_path: Path, administrators: str, severity: str
) -> None:
    report = checked(
        tmp_path,
        person("ada", 'method: passkey-synced, rests_on: ["account:cloud"]'),
        rest="  account:cloud: {ways: [{method: [password, totp]}]}",
        administrators=administrators,
    )
    assert told(report, "undermined")["account:cloud"].severity == severity


@pytest.mark.parametrize(("administrators", "severity"), [("ada", "error"), ("root", "warning")])
def test_an_unknown_root_of_an_administrator_is_an_error(
    tmp_path: Path, administrators: str, severity: str
) -> None:
    report = checked(
        tmp_path,
        person("ada", 'method: passkey-synced, rests_on: ["account:cloud"]'),
        administrators=administrators,
    )
    assert told(report, "unknown-root")["account:cloud"].severity == severity


@pytest.mark.parametrize(("administrators", "severity"), [("ada", "error"), ("root", "warning")])
def test_a_loss_that_locks_an_administrator_out_is_an_error(
    tmp_path: Path, administrators: str, severity: str
) -> None:
    corp = 'method: passkey-device-bound, rests_on: ["identity-provider:corp"]'
    report = checked(
        tmp_path,
        person("ada", corp) + person("bob", corp),
        rest="  identity-provider:corp: {administered_by: [root]}",
        administrators=administrators,
    )
    assert told(report, "lock-out-of-many")["identity-provider:corp"].severity == severity
