"""nginx with lists that `locum crl --follow` keeps: new handshakes and open connections."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pki.rotating import RotatingWorld, lasting_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "nginx" / "lists.conf"


class NginxWithLists:
    """The example's nginx on a free port, and `locum crl` beside it."""

    def __init__(self, world: RotatingWorld, folder: Path) -> None:
        self._world, self.port = world, lasting_port()
        self.log, conf = folder / "error.log", folder / "nginx.conf"
        www = folder / "www"
        www.mkdir()
        (www / "small").write_text("served\n")
        (www / "large").write_bytes(b"more\n" * 2_000_000)
        certificate, key = world.server_held.files
        clients, lists = folder / "clients.pem", folder / "lists.pem"
        clients.write_text(world.corporate.pem + world.call("GET", "/pki/ca.pem").text)
        (folder / "corporate-crl.pem").write_text(world.corporate.revocation_list())
        text = EXAMPLE.read_text()
        for declared, here in (
            ("/etc/nginx/service.pem", certificate),
            ("/etc/nginx/service.key", key),
            ("/etc/nginx/clients.pem", str(clients)),
            ("/etc/nginx/lists.pem", str(lists)),
            ("listen 8443", f"listen 127.0.0.1:{self.port}"),
            ("root /srv/www", f"limit_rate 1k; root {www}"),
        ):
            assert declared in text, declared
            text = text.replace(declared, here)
        places = "".join(
            f"{name}_temp_path {folder};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        text = text.replace("access_log off;", f"access_log off; {places}")
        conf.write_text(
            f"daemon off; pid {folder}/nginx.pid; error_log {self.log} info; user root;\n{text}"
        )
        nginx = ["nginx", "-e", str(self.log), "-c", str(conf)]
        words = [sys.executable, "-m", "locum", "crl", "--url", world.origin]
        words += ["--ca-file", str(world.corporate.file), "--out", str(lists)]
        words += ["--append", str(folder / "corporate-crl.pem")]
        subprocess.run(words, check=True, capture_output=True)
        self._nginx = subprocess.Popen(nginx)
        self._until(lambda: self.status(world.primary.files) == 200)
        reload = " ".join([*nginx, "-s", "reload"])
        self.told = folder / "crl.log"
        with self.told.open("w") as told:
            self._crl = subprocess.Popen(
                [*words, "--follow", "--then", reload], stdout=told, stderr=told,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        self._until(lambda: "ran nginx" in self.told.read_text())

    def _until(self, holds: Callable[[], bool]) -> None:
        for _ in range(400):
            if holds():
                return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def status(self, files: tuple[str, str]) -> int:
        try:
            with self.connect(files) as channel:
                channel.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = channel.recv(4096)
        except (OSError, ssl.SSLError):
            return 0
        return int(answer.split(b" ")[1]) if answer else 0

    def connect(self, files: tuple[str, str]) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self._world.corporate.file))
        context.load_cert_chain(*files)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        try:
            return context.wrap_socket(plain, server_hostname="127.0.0.1")
        except OSError:
            plain.close()
            raise

    def downloading(self, files: tuple[str, str]) -> ssl.SSLSocket:
        """A connection on which an answer goes on for hours."""
        channel = self.connect(files)
        channel.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert channel.recv(64).startswith(b"HTTP/1.1 200")
        return channel

    def close(self) -> None:
        for process in (self._crl, self._nginx):
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


@pytest.fixture
def nginx(world: RotatingWorld, tmp_path: Path) -> Iterator[NginxWithLists]:
    made = NginxWithLists(world, tmp_path)
    yield made
    made.close()


def test_a_followed_list_ends_new_handshakes_and_open_downloads(
    world: RotatingWorld, nginx: NginxWithLists, tmp_path: Path
) -> None:
    grant, backup = world.backed_up(tmp_path)
    assert nginx.status(backup) == 200, nginx.log.read_text()
    download, new = nginx.downloading(backup), world.renewed()
    assert world.cutover(grant, new).json()["dead"]
    cut = time.monotonic()
    while nginx.status(backup) != 400:
        assert time.monotonic() < cut + 20, nginx.log.read_text() + nginx.told.read_text()
        time.sleep(0.01)
    refused = time.monotonic()
    with download, suppress(ConnectionError, ssl.SSLError):
        while download.recv(4096):
            assert time.monotonic() < cut + 20, "the download goes on"
    ended = time.monotonic()
    print(
        f"nginx with a followed list: a new handshake refused {1000 * (refused - cut):.0f} ms, "
        f"an open download cut {1000 * (ended - cut):.0f} ms after the cutover"
    )
    assert nginx.status(new.files) == 200, nginx.log.read_text()
    assert re.search(r"written: 1 revoked", nginx.told.read_text())


def test_crl_refuses_what_is_not_signed_by_the_authority_and_keeps_the_file(
    world: RotatingWorld, tmp_path: Path
) -> None:
    out = tmp_path / "lists.pem"
    out.write_text("as it was")
    (tmp_path / "empty.pem").write_text("nothing")
    words = [sys.executable, "-m", "locum", "crl", "--url", world.origin, "--out", str(out)]
    trusting = ["--ca-file", str(world.corporate.file)]
    for more, saying in (
        ([*trusting, "--append", str(tmp_path / "empty.pem")], "holds no revocation list"),
        ([], "CERTIFICATE_VERIFY_FAILED"),
        ([*trusting, "--form", "der", "--append", str(out)], "DER holds one list"),
        ([*trusting, "--then", "'"], "--then cannot be read"),
    ):
        done = subprocess.run([*words, *more], capture_output=True, text=True, check=False)
        assert done.returncode == (2 if more else 1), done.stderr
        assert saying in " ".join(done.stderr.split()), done.stderr
        assert out.read_text() == "as it was"


def test_the_example_that_asks_the_responder_is_one_that_nginx_takes(
    world: RotatingWorld, tmp_path: Path
) -> None:
    text = (EXAMPLE.parent / "responder.conf").read_text()
    certificate, key = world.server_held.files
    (tmp_path / "clients.pem").write_text(world.corporate.pem)
    for declared, here in (
        ("/etc/nginx/service.pem", certificate),
        ("/etc/nginx/service.key", key),
        ("/etc/nginx/clients.pem", str(tmp_path / "clients.pem")),
        ("/var/log/nginx", str(tmp_path)),
    ):
        text = text.replace(declared, here)
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/nginx.pid;\n{text}")
    words = ["nginx", "-t", "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
