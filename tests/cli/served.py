"""A served Locum and its people, who do everything by the `locum` program."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.servers.program import free_port, launch, wait_until

ESTATE = """version: 1
groups: {administrators: [dana, alice], leads: [alice, bob, carol], security: [dana]}
identities:
  alice: {kind: human, owner: a@example.com, primary: {method: passkey-device-bound}}
  bob: {kind: human, owner: b@example.com, primary: {method: passkey-device-bound}}
  carol: {kind: human, owner: c@example.com, primary: {method: passkey-device-bound}}
  dana: {kind: human, owner: d@example.com, primary: {method: passkey-device-bound}}
  payments:
    kind: workload
    owner: team
    primary: {method: oidc-workload-token, authority: {audiences: [api]}}
    fallbacks:
      key:
        method: vaulted-secret
        target:
          static: payments-key
          inject: PAYMENTS_KEY
          rotate: {command: rotate-key}
          check: {command: old-key-refused}
        causes: [outage, drill]
        approvals: {of: leads, need: 1, within: 30m}
        limits: {ttl: 5m}
        review: {by: security, within: 24h, blocks: due}
        drill: {every: 90d}
        owner: team
        reason: tests
        until: 2099-12-31
"""
SECRET = "first-key-of-payments"
CODE = re.compile(r"--invite (\S+)")


class Ended:
    """How a command ended, and what it printed."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def json(self) -> Any:
        return json.loads(self.out)


class Served:
    """`locum serve` on a data folder that `locum init` made; `admin` is signed in."""

    def __init__(self, folder: Path, *more: str, people: tuple[str, ...] = ()) -> None:
        self.folder, self.data = folder, folder / "locum"
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        (folder / "estate.yaml").write_text(ESTATE)
        self.made = self.run(
            "", "init", str(self.data), "--admin", "dana", "--estate",
            str(folder / "estate.yaml"), "--port", str(self.port), *more,
        )  # fmt: skip
        assert self.made.code == 0, self.made.err
        for hook, text in (
            ("rotate-key", "od -An -tx1 -N16 /dev/urandom | tr -d ' \\n'"),
            ("old-key-refused", 'read old; test -n "$old"'),
        ):
            file = self.data / "hooks" / hook
            file.write_text(f"#!/bin/sh\n{text}\n")
            file.chmod(0o700)
        sealed = self.run("", "vault", "put", "payments-key", "--data", self.data, stdin=SECRET)
        assert sealed.code == 0, sealed.err
        self.serve()
        self.login("dana", self.code_in(self.made))
        for person in people:
            self.login(person, self.run("dana", "invite", person, "--json").json()["code"])

    def serve(self) -> None:
        command: list[str | Path] = [sys.executable, "-m", "locum", "serve", "--data", self.data]
        env = {"HOME": str(self.folder)}
        self.process = launch(command, self.folder / "log", folder=self.folder, environment=env)
        wait_until(self.ready, self.process, self.folder / "log", "locum serve")

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.origin}/readyz", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def code_in(self, ended: Ended) -> str:
        found = CODE.search(ended.out)
        assert found is not None, ended.out
        return found.group(1)

    def login(self, who: str, code: str) -> Ended:
        ended = self.run(who, "login", "--url", self.origin, "--invite", code)
        assert ended.code == 0, ended.err
        return ended

    def run(self, who: str, *words: str | Path, stdin: str = "") -> Ended:
        """Have somebody run `locum …`; no run may show a stack trace or the secret by itself."""
        home = self.folder / "people" / (who or "operator")
        done = subprocess.run(
            [sys.executable, "-m", "locum", *map(str, words)],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder),
                "LOCUM_HOME": str(home),
                "COLUMNS": "200",
            },
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        return Ended(done)
