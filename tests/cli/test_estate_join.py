"""`locum estate join`: what one source mentions, another defines."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from locum.cli.main import app

ESTATE = """\
version: 1
groups: {administrators: [erin]}
identities:
  erin:
    kind: human
    owner: erin
    primary: {method: passkey-device-bound, rests_on: ["identity-provider:corp"]}
"""
REALM = """\
{"realm": "corp", "users": [
 {"username": "root", "credentials": [{"type": "password"}], "realmRoles": ["admin"]}
]}
"""


def _run(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(one) for one in words])
    return done.exit_code, done.output


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    estate, realm = tmp_path / "estate.yaml", tmp_path / "realm.json"
    estate.write_text(ESTATE)
    realm.write_text(REALM)
    code, said = _run("import", "keycloak", realm, "--store", tmp_path / "corp", "--no-check")
    assert code == 0, said
    return estate, tmp_path / "corp"


def test_what_an_estate_mentions_an_import_defines(
    sources: tuple[Path, Path], tmp_path: Path
) -> None:
    estate, corp = sources
    assert "unknown-root" in _run("check", estate)[1]
    code, said = _run("estate", "join", estate, f"keycloak={corp}", "--out", tmp_path / "all")
    assert code == 0, said
    code, said = _run("check", tmp_path / "all", "--notes")
    assert "2 identities" in said
    assert "unknown-root" not in said
    _, said = _run("explain", "erin", "--estate", tmp_path / "all")
    assert "keycloak.root" in said


def test_sources_that_cannot_be_joined_say_why(sources: tuple[Path, Path], tmp_path: Path) -> None:
    _, corp = sources
    out = tmp_path / "all"
    code, said = _run("estate", "join", corp, corp, "--out", out)
    assert (code, "stands in more than one part" in said) == (2, True), said
    code, said = _run("estate", "join", f"A B={corp}", "--out", out)
    assert (code, "is not NAME=SOURCE" in said) == (2, True), said
    code, said = _run("estate", "join", corp, "--out", corp)
    assert (code, "one of the sources" in said) == (2, True), said
    code, said = _run("estate", "join", tmp_path / "nowhere", "--out", out)
    assert (code, "Traceback" not in said) == (2, True), said
    assert not (out / "estate.json").exists()
