"""`locum cutover` as a guard runs it, from a file and from a line of nginx's log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from tests.pki.authorities import Held
from tests.pki.rotating import PATH, RotatingWorld


def locum(world: RotatingWorld, held: Held, *words: str, stdin: str = "", code: int = 0) -> str:
    certificate, key = held.files
    done = subprocess.run(
        [sys.executable, "-m", "locum", *words, "--url", world.origin, "--ca-file",
         str(world.corporate.file), "--certificate", certificate, "--key", key],
        input=stdin, env=os.environ | {"COLUMNS": "200"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_guard_ends_a_rotation_with_the_certificate_that_it_saw(
    world: RotatingWorld, tmp_path: Path
) -> None:
    grant, _ = world.opened()
    old = locum(
        world, world.gateway, "cutover", grant, "--seen", "a test", "--shown",
        str(world.primary.certificate_file), code=1,
    )  # fmt: skip
    assert "is to be replaced" in old
    foreign = locum(
        world, world.primary, "cutover", grant, "--seen", "a test", "--shown",
        str(world.gateway.certificate_file), code=1,
    )  # fmt: skip
    assert "is not" in foreign or "does not count" in foreign
    line = quote(world.renewed().pem)  # as nginx writes it
    told = locum(
        world, world.gateway, "cutover", grant, "--seen", "clients.log", "--json", stdin=line + "\n"
    )
    assert json.loads(told)["how"] == "cutover"


def test_an_acme_key_is_minted_with_the_primary_alone(world: RotatingWorld) -> None:
    told = json.loads(locum(world, world.primary, "acme-key", PATH, "--json"))
    assert told["directory"] == f"{world.origin}/acme/directory"
    shown = locum(world, world.primary, "acme-key", PATH)
    assert "certbot register" in shown
    assert "has no such thing" in locum(world, world.gateway, "acme-key", PATH, code=1)


def test_a_guard_names_its_certificate_and_key_together(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "locum", "cutover", "gr_1", "--seen", "x", "--url",
         "https://locum.example"],
        input="-----BEGIN", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--certificate and --key" in done.stderr
