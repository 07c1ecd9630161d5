"""A real nginx for the demo: it wants client certificates, and follows Locum's lists."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx

from locum.model.refusal import Unavailable

_CONF = """daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log info; {user}
worker_shutdown_timeout 1s;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {folder}/clients.pem; ssl_verify_client on; ssl_verify_depth 3;
    ssl_crl {folder}/lists.pem;
    ssl_session_tickets off; ssl_session_cache off;
    location = / {{ return 200 "the ledger of payments\\n"; }}
    location = /statement {{ limit_rate 1k; root {folder}; }}
  }}
}}
"""
_TRIES = 200


class WebServer:
    """nginx on loopback, and `locum crl --follow` beside it.

    Args:
        folder: where its files go.
        port: where it listens.
        held: its own certificate and key, PEM files.
        clients: the company's authority, and its revocation list, PEM files.
    """

    def __init__(
        self, folder: Path, port: int, held: tuple[Path, Path], clients: tuple[Path, Path]
    ) -> None:
        self.port, self._folder = port, folder
        self._held, self._clients = held, clients
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, origin: str) -> None:
        """Start both, once Locum serves.

        Raises:
            Unavailable: nginx is not here, or does not start.
        """
        if shutil.which("nginx") is None:
            raise Unavailable("nginx is not installed.", "On Debian: apt-get install nginx-light.")
        folder, (authority, its_list) = self._folder, self._clients
        folder.mkdir(parents=True, exist_ok=True)
        trust = ssl.create_default_context(cafile=authority)
        ours = httpx.get(f"{origin}/pki/ca.pem", verify=trust).text
        (folder / "clients.pem").write_text(authority.read_text() + ours)
        (folder / "statement").write_bytes(b"one more line of the statement\n" * 100_000)
        (folder / "nginx.conf").write_text(
            _CONF.format(
                folder=folder,
                port=self.port,
                certificate=self._held[0],
                key=self._held[1],
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        nginx = ["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        crl = [sys.executable, "-m", "locum", "crl", "--url", origin, "--ca-file", str(authority)]
        crl += ["--out", str(folder / "lists.pem"), "--append", str(its_list)]
        subprocess.run(crl, check=True, capture_output=True)
        self._begin(nginx, "nginx.log")
        self._await(lambda: self.status(None) == "400", "nginx.log")
        self._begin([*crl, "--follow", "--then", " ".join([*nginx, "-s", "reload"])], "crl.log")
        self._await(lambda: "ran nginx" in (folder / "crl.log").read_text(), "crl.log")

    def _begin(self, words: list[str], log: str) -> None:
        with (self._folder / log).open("wb") as out:
            told = os.environ | {"PYTHONUNBUFFERED": "1"}
            self._processes.append(subprocess.Popen(words, stdout=out, stderr=out, env=told))

    def _await(self, holds: object, log: str) -> None:
        for _ in range(_TRIES):
            if callable(holds) and holds():
                return
            time.sleep(0.05)
        said = (self._folder / log).read_text()[-600:]
        raise Unavailable(f"The web server did not start: {said}", "Is a port in use?")

    def curl(self, held: tuple[Path, Path] | None, place: str = "/") -> list[str]:
        """The command that calls the server with a certificate."""
        shown = ["--cert", str(held[0]), "--key", str(held[1])] if held else []
        return ["curl", "-sS", "--cacert", str(self._clients[0]), *shown,
                f"https://127.0.0.1:{self.port}{place}"]  # fmt: skip

    def status(self, held: tuple[Path, Path] | None) -> str:
        """What curl is answered with a certificate, or without."""
        words = [*self.curl(held), "-o", os.devnull, "-w", "%{http_code}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout

    def close(self) -> None:
        """Stop both."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
