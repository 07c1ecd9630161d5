"""What docs/imports.md tells people to type fetches every page, and no value of a secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

IMPORTS = Path(__file__).parents[2] / "docs" / "imports.md"

USERS = [
    {"id": f"00u{at}", "status": "ACTIVE", "profile": {"login": f"user-{at}@example.com"}}
    for at in range(5)
]
POLICY = {"settings": {"recovery": {"factors": {"okta_email": {"status": "ACTIVE"}}}}}
REGISTERED = [
    {"id": str(at), "userPrincipalName": f"user-{at}@example.com", "methodsRegistered": []}
    for at in range(5)
]
TOKEN_OF = {"kubernetes.io/service-account.name": "builder"}
SECRET = "c2VjcmV0"
CLUSTER = [
    {"kind": "ServiceAccount", "metadata": {"name": "builder", "namespace": "ci"}},
    *(
        {
            "kind": "Secret",
            "type": kind,
            "metadata": {
                "name": name,
                "namespace": "ci",
                "annotations": {**TOKEN_OF, "last": SECRET},
            },
            "data": {"token": SECRET},
        }
        for name, kind in (("token", "kubernetes.io/service-account-token"), ("other", "Opaque"))
    ),
]


class Platforms(BaseHTTPRequestHandler):
    """Okta and Microsoft Graph, as far as their documentation says, with two entries a page."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        first = int(parse_qs(url.query).get("after", ["0"])[0])
        host = f"http://{self.headers['Host']}"
        following = f"{host}{url.path}?after={first + 2}"
        if url.path.startswith("/v1.0/"):
            assert self.headers["Authorization"] == "Bearer let-me-in"
            every: list[Any] = REGISTERED if "userRegistration" in url.path else []
            more = {"@odata.nextLink": following} if first + 2 < len(every) else {}
            self._answer({"value": every[first : first + 2], **more})
            return
        assert self.headers["Authorization"] == "SSWS let-me-in"
        every = {"users": USERS, "policies": [POLICY], "factors": [{"factorType": "push"}]}.get(
            url.path.rpartition("/")[2], []
        )
        links = f'<{host}{self.path}>; rel="self"'
        if first + 2 < len(every):
            links += f', <{following}>; rel="next"'
        self._answer(every[first : first + 2], links)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert sent["client_secret"] == ["let+me in"]
        self._answer({"access_token": "let-me-in"})

    def _answer(self, value: Any, links: str = "") -> None:
        said = json.dumps(value).encode()
        self.send_response(200)
        if links:
            self.send_header("link", links)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        """Nobody listens."""


@pytest.fixture
def origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platforms)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def typed(title: str, folder: Path, **settings: str) -> str:
    """Type what stands under a heading; what is printed."""
    section = IMPORTS.read_text().partition(f"\n## {title}, step by step\n")[2]
    [lines] = re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    path = f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", lines],
        cwd=folder,
        env={**os.environ, **settings, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == "", done.stderr
    assert done.returncode in (0, 1), done.stdout
    return done.stdout


def test_every_page_of_okta_is_fetched_and_the_token_is_gone(tmp_path: Path, origin: str) -> None:
    (tmp_path / "token").write_text("let-me-in\n")
    assert "5 identities" in typed("Okta", tmp_path, OKTA=origin)
    factors = json.loads((tmp_path / "factors.json").read_text())
    assert factors == {one["id"]: [{"factorType": "push"}] for one in USERS}
    assert json.loads((tmp_path / "roles.json").read_text()) == {one["id"]: [] for one in USERS}
    assert not any("let-me-in" in file.read_text() for file in tmp_path.iterdir())


def test_every_page_of_entra_is_fetched_and_the_secret_is_gone(tmp_path: Path, origin: str) -> None:
    (tmp_path / "secret").write_text("let+me in\n")
    said = typed("Entra ID", tmp_path, LOGIN=origin, GRAPH=f"{origin}/v1.0", TENANT="t", CLIENT="c")
    assert "5 identities" in said
    assert json.loads((tmp_path / "policies.json").read_text()) == {"value": []}
    assert not any("let" in file.read_text() for file in tmp_path.iterdir())


def test_no_value_of_a_secret_of_kubernetes_is_written(tmp_path: Path) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": CLUSTER})
    fake = tmp_path / "kubectl"
    fake.write_text(f"#!/bin/sh\ncat <<'E'\n{listed}\nE\n")
    fake.chmod(0o755)
    assert "1 identity" in typed("Kubernetes", tmp_path)
    written = (tmp_path / "all.json").read_text()
    assert SECRET not in written
    assert [one["kind"] for one in json.loads(written)["items"]] == ["ServiceAccount", "Secret"]
