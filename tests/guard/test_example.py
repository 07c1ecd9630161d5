"""The example service, run as its page says."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from tests.pki.rotating import RotatingWorld, lasting_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "asgi" / "service.py"


def test_the_example_serves_a_backup_until_the_cutover(
    world: RotatingWorld, tmp_path: Path
) -> None:
    issuer, port = tmp_path / "ca.pem", lasting_port()
    issuer.write_text(world.call("GET", "/pki/ca.pem").text)
    certificate, key = world.server_held.files
    authority = str(world.corporate.file)
    running = subprocess.Popen(
        [sys.executable, str(EXAMPLE), "--locum", world.origin, "--ca-file", authority,
         "--issuer", str(issuer), "--clients", authority, "--certificate", certificate,
         "--key", key, "--port", str(port)],
    )  # fmt: skip

    def status(files: tuple[str, str]) -> int:
        context = world.context()
        context.load_cert_chain(*files)
        try:
            return httpx.get(f"https://127.0.0.1:{port}/", verify=context).status_code
        except httpx.HTTPError:
            return 0

    try:
        grant, backup = world.backed_up(tmp_path)
        for _ in range(400):
            if status(backup) == 200:
                break
            time.sleep(0.05)
        assert status(backup) == 200
        new = world.renewed()
        assert world.cutover(grant, new).json()["dead"]
        for _ in range(100):
            if status(backup) == 403:
                break
            time.sleep(0.01)
        assert status(backup) == 403
        assert status(new.files) == 200
    finally:
        running.terminate()
        running.wait(timeout=10)
