"""A Locum with TLS, whose estate knows a workload by its certificate, and its rotations."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from locum.cli.fronts import listen
from locum.cli.serving import serve_pki, server_of
from locum.service.authority_keys import make_authority
from locum.service.starting import make_folder, start
from tests.http.world import World
from tests.pki.authorities import CorporateAuthority, Held, csr, key_pem
from tests.servers.clock import SteppedClock

PATH = "payments-api/rotation-backup"
NAME = "payments.internal"
ESTATE = """version: 1
groups: {{administrators: [alice], owners: [alice, bob, carol], security: [dana]}}
trust:
  corporate:
    vouches: [workload-attested]
    certificates: |
{authority}
identities:
  alice: {{kind: human, owner: a@example.com, primary: {{method: passkey-device-bound}}}}
  bob: {{kind: human, owner: b@example.com, primary: {{method: passkey-device-bound}}}}
  carol: {{kind: human, owner: c@example.com, primary: {{method: passkey-device-bound}}}}
  dana: {{kind: human, owner: d@example.com, primary: {{method: passkey-device-bound}}}}
  gateway:
    kind: workload
    owner: edge
    primary:
      method: x509-certificate
      known_by: {{trust: corporate, name: "dns:gateway.internal"}}
  payments-api:
    kind: workload
    owner: payments
    primary:
      method: x509-certificate
      known_by: {{trust: corporate, name: "dns:payments.internal"}}
      authority: {{audiences: [ledger.internal]}}
      context: [workload-attested]
    fallbacks:
      rotation-backup:
        method: backup-certificate
        causes: [planned-rotation]
        context: [workload-attested]
        limits: {{ttl: 20m, window: 30m, uses: 2}}
        closes: [cutover]
        cutover: {{guards: [gateway]{endpoint}}}
        review: {{by: security, within: 24h}}
        owner: payments
        reason: keep serving while the certificate is rotated
        until: 2099-12-31
      approved:
        method: backup-certificate
        causes: [planned-rotation]
        context: [workload-attested]
        approvals: {{of: owners, need: 1}}
        limits: {{ttl: 20m, window: 30m}}
        review: {{by: security, within: 24h, blocks: due}}
        owner: payments
        reason: tests
        until: 2099-12-31
"""


def lasting_port() -> int:
    """A free port that no connection takes meanwhile: below those that the kernel gives out."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


class RunningClock(SteppedClock):
    """The machine's own clock, for programs that go by it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    __call__ = now


class RotatingWorld(World):
    """The Locum, its clock, its people, and a corporate authority with workloads."""

    def __init__(
        self,
        folder: Path,
        endpoint: str = "",
        clock: SteppedClock | None = None,
        *,
        plain: bool = False,
        store: str = "",
        more: str = "",
        kind: Literal["p256", "ed25519"] = "p256",
    ) -> None:
        # TLS looks at the machine's own clock; the stepped one begins there.
        begins = datetime.now(UTC).replace(microsecond=0)
        self.clock, self.port = clock or SteppedClock(begins), lasting_port()
        self.folder = folder
        self.corporate = CorporateAuthority(folder / "corporate", self.clock.now())
        self.server_held = self.corporate.issue(
            "locum", ("localhost", "127.0.0.1"), begins=-timedelta(hours=1), server=True
        )
        self.origin = f"https://127.0.0.1:{self.port}"
        self.data = folder / "data"
        certificate, key = self.server_held.files
        at = lasting_port()
        plainly = f"listen_port = {at}\n" if plain else ""
        settings = (
            f'[server]\norigin = "{self.origin}"\nport = {self.port}\n'
            f'certificate = "{certificate}"\nkey = "{key}"\n'
            f'calls_per_second = 1000\nburst = 1000\n[pki]\nurl = "http://127.0.0.1:{at}"\n{plainly}{more}'
            + (f'[store]\nurl = "{store}"\n' if store else "")
        )
        make_folder(self.data, settings, self.clock.now, secrets.token_bytes)
        pem = "".join(f"      {line}\n" for line in self.corporate.pem.splitlines())
        told = f", endpoint: '{endpoint}', server_name: {NAME}" if endpoint else ""
        (self.data / "estate.yaml").write_text(ESTATE.format(authority=pem, endpoint=told))
        first = start(self.data, self.clock.now, secrets.token_bytes)
        self.root_key, self.root = make_authority(
            first.builtin, kind, "127.0.0.1", self.clock.now(), secrets.token_bytes
        )
        first.locum.store.close()
        self.started = start(self.data, self.clock.now, secrets.token_bytes)
        self.server = server_of(self.started)
        listening = listen("127.0.0.1", self.port, 1)
        self._thread = threading.Thread(target=self.server.run, args=(listening,), daemon=True)
        self._thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.plain = serve_pki(self.started)
        self.primary = self.corporate.issue(
            "payments", (NAME, "pay.example.com"), begins=-timedelta(hours=2)
        )
        self.gateway = self.corporate.issue("gateway", ("gateway.internal",))
        self.people = {}

    def context(self, held: Held | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.corporate.file))
        if held is not None:
            context.load_cert_chain(*held.files)
        return context

    def call(self, method: str, path: str, held: Held | None = None, **how: Any) -> httpx.Response:
        """Call over mTLS, or without a certificate."""
        with httpx.Client(verify=self.context(held), timeout=10) as client:
            return client.request(method, self.origin + path, **how)

    def announce(
        self,
        held: Held | None = None,
        *,
        path: str = PATH,
        opens: timedelta = timedelta(0),
        lasts: timedelta = timedelta(minutes=30),
    ) -> httpx.Response:
        begins = self.clock.now() + opens
        window = {"from": begins.isoformat(), "until": (begins + lasts).isoformat()}
        body = {
            "path": path,
            "cause": "planned-rotation",
            "reason": "the certificate ends",
            "evidence": {"window": window},
        }
        return self.call("POST", "/v1/requests", held or self.primary, json=body)

    def opened(self, **how: Any) -> tuple[str, str]:
        """A grant and its backup certificate with chain, PEM."""
        answer = self.announce(**how)
        assert answer.status_code == 201, answer.text
        answer = self.activate(answer.json()["id"], csr(ec.generate_private_key(ec.SECP256R1())))
        assert answer.status_code == 201, answer.text
        told = answer.json()
        return told["grant"]["id"], told["credential"]["value"]

    def backed_up(self, folder: Path) -> tuple[str, tuple[str, str]]:
        """A grant, and the files of its backup with chain, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        told = self.activate(self.announce().json()["id"], csr(key)).json()
        backup = folder / "backup.pem", folder / "backup.key"
        backup[0].write_text(told["credential"]["value"])
        backup[1].write_bytes(key_pem(key))
        return told["grant"]["id"], (str(backup[0]), str(backup[1]))

    def activate(self, request: str, asked: str, held: Held | None = None) -> httpx.Response:
        return self.call(
            "POST",
            f"/v1/requests/{request}/activate",
            held or self.primary,
            json={"csr": asked} if asked else {},
        )

    def cutover(self, grant: str, held: Held, **body: str) -> httpx.Response:
        how: dict[str, Any] = {"json": body} if body else {}
        return self.call("POST", f"/v1/grants/{grant}/cutover", held, **how)

    def renewed(self) -> Held:
        """The new primary: the same names, issued later."""
        return self.corporate.issue(
            "payments", (NAME, "pay.example.com"), begins=-timedelta(minutes=1)
        )

    def close(self) -> None:
        if self.plain is not None:
            self.plain.should_exit = True
        super().close()
