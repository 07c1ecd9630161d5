"""The story of a planned rotation: a backup that lives while the certificate is replaced."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from locum.demo.corporate import CorporateAuthority
from locum.demo.record import recorded
from locum.demo.stage import Stage, console, expect
from locum.demo.webserver import WebServer

PATH = "payments-api/rotation-backup"
NAME = "payments.internal"
OPENS_IN = timedelta(seconds=6)
_ESTATE = """version: 1
groups:
  administrators: [dana]
  platform: [alice, bob]
  platform-security: [dana]
trust:
  corporate:
    certificates: |
{authority}
identities:
  alice: {{ kind: human, owner: alice@example.com, primary: {{ method: passkey-device-bound }} }}
  bob: {{ kind: human, owner: bob@example.com, primary: {{ method: passkey-device-bound }} }}
  dana: {{ kind: human, owner: dana@example.com, primary: {{ method: passkey-device-bound }} }}
  payments-api:
    kind: workload
    owner: payments-team
    primary:
      method: x509-certificate
      known_by: {{ trust: corporate, name: "dns:payments.internal" }}
      authority: {{ audiences: [ledger.internal], environment: production }}
    fallbacks:
      rotation-backup:
        method: backup-certificate
        causes: [planned-rotation]
        approvals: {{ of: platform, need: 1 }}
        limits: {{ ttl: 20m, window: 30m }}
        closes: [cutover]
        review: {{ by: platform-security, within: 24h, blocks: due }}
        owner: payments-team
        reason: keep serving while the certificate is rotated
        until: 2099-12-31
"""
_USE = """#!/bin/sh
set -eu
umask 077
cp "$LOCUM_BACKUP_CERTIFICATE" {loot}/backup.pem
cp "$LOCUM_BACKUP_KEY" {loot}/backup.key
{call} > {loot}/answer
setsid {download} > /dev/null 2> {loot}/download < /dev/null &
echo $! > {loot}/pid
sleep 0.3
"""


class Rotation:
    """What the story plays with: a stage, the company's authority, a web server."""

    def __init__(self, folder: Path, port: int) -> None:
        now = datetime.now(UTC)
        self.corporate = CorporateAuthority(folder / "company")
        issue = self.corporate.issue
        held = issue("locum", ("127.0.0.1", "localhost"), now - timedelta(hours=1))
        self.stage = Stage(folder, port, tls=(*held, self.corporate.file))
        server = issue("ledger", ("127.0.0.1",), now - timedelta(hours=1))
        clients = self.corporate.file, self.corporate.list_file
        self.web = WebServer(folder / "nginx", port + 2, server, clients)
        self.primary = issue("primary", (NAME,), now - timedelta(days=9))
        self.loot = folder / "loot"
        self.backup = self.loot / "backup.pem", self.loot / "backup.key"

    def play(self) -> None:
        """Play the story.

        Raises:
            StoryBroken: a step did not go as told.
        """
        self.loot.mkdir(mode=0o700)
        try:
            self._begin()
            self._announced()
            grant = self._rotated()
            self._dead()
            self._reviewed(grant)
            recorded(self.stage, "--ca-file", str(self.corporate.file))
        finally:
            shutil.rmtree(self.loot, ignore_errors=True)

    def close(self) -> None:
        """Stop everything."""
        self.web.close()
        self.stage.stop()

    def _begin(self) -> None:
        stage = self.stage
        stage.step(
            "A Locum with TLS, an nginx that wants client certificates, a company's authority",
            "payments-api calls the ledger of payments with a certificate that ends tomorrow.",
        )
        pem = "".join(f"      {line}\n" for line in self.corporate.file.read_text().splitlines())
        estate = stage.folder / "estate.yaml"
        estate.write_text(_ESTATE.format(authority=pem))
        told = (
            f'\n[pki]\nurl = "http://127.0.0.1:{stage.port + 1}"\nlisten_port = {stage.port + 1}\n'
        )
        stage.register("dana", stage.begin("dana", estate, {}, told))
        for person in ("alice", "bob"):
            stage.register(person, stage.code_in(stage.locum("dana", "invite", person, quiet=True)))
        self.web.start(stage.origin)
        expect(self.web.status(self.primary) == "200", "the primary was not served")
        stage.told("nginx serves payments-api by its primary, and nobody without a certificate")

    def _rotate(self, *more: str, wait: int = 0, expect: int = 0) -> str:
        certificate, key = self.primary
        words = [
            "rotate", PATH, "--url", self.stage.origin, "--ca-file", str(self.corporate.file),
            "--certificate", str(certificate), "--key", str(key),
            "--backup-dir", str(self.stage.folder / "backup"), "--wait", str(wait),
        ]  # fmt: skip
        named = [Path(one).name if one.startswith("/") else one for one in more]
        shown = shlex.join(["rotate", PATH, *named])
        console.print(f"   payments-api$ locum {shown}", markup=False)
        return self.stage.locum("payments-api", *words, *more, expect=expect, quiet=True)

    def _announced(self) -> None:
        stage, opens = self.stage, datetime.now(UTC) + OPENS_IN
        stage.step(
            "payments-api announces a window, with the certificate that it still has",
            "A backup opens inside an announced window and at no other time (law 4).",
        )
        until = opens + timedelta(minutes=10)
        window = ("--from", opens.isoformat(), "--until", until.isoformat())
        told = self._rotate("--announce-only", *window)
        console.print(f"     {told.strip()}", markup=False)
        stage.step("It asks for the backup before anybody approved", "No one alone (law 6).")
        self._rotate(expect=1)
        stage.told("refused")
        kept = json.loads((stage.folder / "backup" / "rotation.json").read_text())
        stage.locum("bob", "approve", kept["request"], "--comment", "as planned")
        stage.step("bob approves, and it asks once more, too early", "The window is not open yet.")
        if datetime.now(UTC) < opens:
            self._rotate(expect=1)
        stage.told(f"refused until {opens:%H:%M:%S} UTC")
        time.sleep(max(0.0, (opens - datetime.now(UTC)).total_seconds()))

    def _rotated(self) -> str:
        stage = self.stage
        stage.step(
            "Inside the window the pipeline rotates, unattended",
            "To test Locum, its command also steals the backup's key and leaves a download open.",
        )
        new = self.corporate.issue("renewed", (NAME,), datetime.now(UTC) - timedelta(minutes=1))
        use = stage.folder / "use-backup.sh"
        use.write_text(
            _USE.format(
                loot=shlex.quote(str(self.loot)),
                call=shlex.join(self.web.curl(self.backup)),
                download=shlex.join(self.web.curl(self.backup, "/statement")),
            )
        )
        use.chmod(0o700)
        told = self._rotate(
            "--with-backup", str(use),
            "--replace", "true", "--new-certificate", str(new[0]), "--new-key", str(new[1]),
            wait=30,
        )  # fmt: skip
        for line in told.strip().splitlines():
            console.print(f"     {line}", style="cyan", markup=False)
        expect((self.loot / "answer").read_text() != "", "the backup was not served")
        stage.told("nginx served payments-api by its backup; the new certificate ended it")
        self.primary = new
        grants = json.loads(stage.locum("dana", "status", "--json", quiet=True))["grants"]
        return str(grants[0]["id"])

    def _dead(self) -> None:
        stage = self.stage
        stage.step(
            "The stolen backup and the download left open",
            "Revoked in the commit that saw the new certificate; nginx follows the list.",
        )
        began = time.monotonic()
        while self.web.status(self.backup) != "400":
            expect(time.monotonic() < began + 20, "the stolen backup is still served")
            time.sleep(0.05)
        stage.told("nginx refuses the stolen backup")
        self._asked()
        while not (self.loot / "download").read_text():
            expect(time.monotonic() < began + 30, "the open download goes on")
            time.sleep(0.05)
        console.print(
            f"     {(self.loot / 'download').read_text().strip()}", style="yellow", markup=False
        )
        stage.told("the open download is cut")
        expect(self.web.status(self.primary) == "200", "the new primary is not served")
        stage.told("nginx serves payments-api by its new certificate")
        stage.step(
            "payments-api asks for another backup",
            "A path whose last grant nobody reviewed stays shut (law 5).",
        )
        self._rotate("--minutes", "5", expect=1)
        stage.told("refused")

    def _asked(self) -> None:
        """Have openssl ask Locum's responder about the stolen backup."""
        text = self.backup[0].read_text()
        leaf, issuer, root = (f"-----BEGIN{one}" for one in text.split("-----BEGIN")[1:])
        for name, pem in (("leaf", leaf), ("issuer", issuer), ("root", root)):
            (self.loot / f"{name}.pem").write_text(pem)
        words = ["openssl", "ocsp", "-issuer", "issuer.pem", "-cert", "leaf.pem", "-CAfile",
                 "root.pem", "-verify_other", "issuer.pem",
                 "-url", f"http://127.0.0.1:{self.stage.port + 1}/pki/ocsp"]  # fmt: skip
        console.print(f"   relying party$ {' '.join(words[:6])} …", markup=False)
        done = subprocess.run(words, cwd=self.loot, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        expect("leaf.pem: revoked" in said and "superseded" in said, f"openssl said {said}")
        console.print("     leaf.pem: revoked, reason: superseded", style="yellow", markup=False)

    def _reviewed(self, grant: str) -> None:
        stage = self.stage
        stage.step("dana reviews", "Every grant ends in a review; until then the path is blocked.")
        stage.locum(
            "dana", "review", grant, "--verdict", "emergency", "--comment", "rotated as planned"
        )
        stage.told("the path is free for the next rotation")
