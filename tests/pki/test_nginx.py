"""A real nginx in front of a service: it takes the backup, and refuses it right after cutover."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.http.world import free_port
from tests.pki.rotating import RotatingWorld, RunningClock

CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log info; user root;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {clients}; ssl_verify_client on; ssl_verify_depth 3;
    {revocation}
    ssl_session_tickets off; ssl_session_cache off;
    location / {{ return 200 "served\\n"; }}
  }}
}}
"""


class Nginx:
    """An nginx that asks for client certificates, and Locum's responder about each."""

    def __init__(self, world: RotatingWorld, folder: Path, revocation: str) -> None:
        self.port, self.ca = free_port(), str(world.corporate.file)
        clients = folder / "clients.pem"
        clients.write_text(world.corporate.pem + world.call("GET", "/pki/ca.pem").text)
        certificate, key = world.server_held.files
        conf = folder / "nginx.conf"
        conf.write_text(
            CONF.format(
                folder=folder, port=self.port, certificate=certificate, key=key, clients=clients,
                revocation=revocation,
            )
        )  # fmt: skip
        self.log = folder / "error.log"
        self._command = ["nginx", "-e", str(self.log), "-c", str(conf)]
        self._process = subprocess.Popen(self._command)
        for _ in range(200):
            if self.status(None):
                return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def status(self, files: tuple[str, str] | None) -> int:
        """What curl is answered with this certificate and key."""
        shown = ["--cert", files[0], "--key", files[1]] if files else []
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.ca, *shown,
             f"https://127.0.0.1:{self.port}/"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return int(done.stdout or 0)

    def reload(self) -> None:
        """Read the revocation lists again."""
        subprocess.run([*self._command, "-s", "reload"], check=True)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path / "world", clock=RunningClock(), plain=True)
    yield made
    made.close()


def test_nginx_that_asks_the_responder_refuses_the_backup_right_after_cutover(
    running: RotatingWorld, tmp_path: Path
) -> None:
    nginx = Nginx(running, tmp_path, "ssl_ocsp leaf; ssl_ocsp_cache off;")
    try:
        grant, files = running.backed_up(tmp_path)
        assert nginx.status(None) == 400
        assert nginx.status(files) == 200, nginx.log.read_text()
        assert running.cutover(grant, running.renewed()).json()["dead"]
        cut = time.monotonic()
        assert nginx.status(files) == 400, nginx.log.read_text()
        print(f"refused by nginx {1000 * (time.monotonic() - cut):.0f} ms after the cutover")
        assert "certificate revoked" in nginx.log.read_text()
    finally:
        nginx.close()


def fetch_lists(world: RotatingWorld, file: Path) -> None:
    """Every authority's revocation list, PEM, as nginx wants them."""
    ours = [
        x509.load_der_x509_crl(world.call("GET", path).content).public_bytes(Encoding.PEM).decode()
        for path in ("/pki/crl.der", "/pki/root.crl.der")
    ]
    file.write_text("".join([world.corporate.revocation_list(), *ours]))


def test_nginx_with_lists_refuses_the_backup_after_a_reload_and_takes_the_primary(
    running: RotatingWorld, tmp_path: Path
) -> None:
    lists = tmp_path / "lists.pem"
    fetch_lists(running, lists)
    nginx = Nginx(running, tmp_path, f"ssl_crl {lists};")
    try:
        grant, files = running.backed_up(tmp_path)
        assert nginx.status(files) == 200, nginx.log.read_text()
        assert nginx.status(running.primary.files) == 200, nginx.log.read_text()
        new, cut = running.renewed(), time.monotonic()
        assert running.cutover(grant, new).json()["dead"]
        while nginx.status(files) != 400:
            fetch_lists(running, lists)
            nginx.reload()
            time.sleep(0.05)
            assert time.monotonic() < cut + 20, nginx.log.read_text()
        print(f"refused by nginx {1000 * (time.monotonic() - cut):.0f} ms after the cutover")
        assert nginx.status(new.files) == 200, nginx.log.read_text()
    finally:
        nginx.close()
