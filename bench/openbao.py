"""A real OpenBao for comparison: raft storage on disk, file audit on, TLS off, loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import hvac
import requests


class OpenBao:
    """A server of its own folder and port."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-bao-"))
        port, cluster = _free_port(), _free_port()
        self.url = f"http://127.0.0.1:{port}"
        (self.folder / "raft").mkdir()
        (self.folder / "bao.hcl").write_text(
            f'storage "raft" {{ path = "{self.folder}/raft" node_id = "one" }}\n'
            f'listener "tcp" {{ address = "127.0.0.1:{port}" tls_disable = true }}\n'
            f'audit "file" "file" {{ options {{ file_path = "{self.folder}/audit.log" }} }}\n'
            f'api_addr = "{self.url}"\ncluster_addr = "http://127.0.0.1:{cluster}"\n'
            "disable_mlock = true\n"
        )
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name("bao"), "server", f"-config={self.folder}/bao.hcl"],
                stdout=log,
                stderr=log,
            )
        self.client = hvac.Client(self.url, timeout=30)
        self._initialise()

    @property
    def pid(self) -> int:
        """The server's process; the wheel's program replaces itself by the server."""
        return self._process.pid

    def close(self) -> None:
        """Stop it and remove its folder."""
        self._process.terminate()
        self._process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self) -> None:
        for _ in range(100):
            try:
                made = self.client.sys.initialize(secret_shares=1, secret_threshold=1)
                break
            except (requests.RequestException, hvac.exceptions.VaultError):
                time.sleep(0.1)
        else:
            raise RuntimeError((self.folder / "server.log").read_text()[-500:])
        self.client.sys.submit_unseal_key(made["keys"][0])
        self.client.token = made["root_token"]
        for _ in range(100):
            try:
                if self.client.sys.read_leader_status()["is_self"]:
                    return
            except (requests.RequestException, hvac.exceptions.VaultError):
                pass
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
