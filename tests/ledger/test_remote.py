"""A ledger read over HTTP, from a real server on loopback."""

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from locum.ledger.errors import LedgerError, MalformedArtefact, Tampered
from locum.ledger.folder import FolderSource, export
from locum.ledger.remote import RemoteSource
from locum.ledger.tiles import TileName
from locum.ledger.verification import verify_log

from .test_signed import MemorySource, signer

KEY = signer().verifier


@dataclass
class Publisher:
    """A server of a folder; `oddly` answers some paths with (status, headers, body)."""

    url: str
    folder: Path
    oddly: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Publisher]:
    export(MemorySource(600), tmp_path / "ledger", KEY)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = publisher.folder / self.path.removeprefix("/")
            honest = (
                (200, dict[str, str](), file.read_bytes()) if file.is_file() else (404, {}, b"")
            )
            status, headers, body = publisher.oddly.get(self.path, honest)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher = Publisher(f"http://127.0.0.1:{server.server_address[1]}", tmp_path)
    running = threading.Thread(target=server.serve_forever)
    running.start()
    yield publisher
    server.shutdown()
    running.join()
    server.server_close()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5, follow_redirects=True) as client:
        yield client


def test_a_published_ledger_verifies_from_afar(published: Publisher, client: httpx.Client) -> None:
    assert verify_log(RemoteSource(published.url + "/", client), (KEY,)).entries == 600


def test_a_missing_or_altered_tile_from_afar_is_named(
    published: Publisher, client: httpx.Client
) -> None:
    published.oddly["/ledger/tile/0/001"] = (404, {}, b"")
    with pytest.raises(Tampered, match="tile/0/001"):
        verify_log(RemoteSource(published.url, client), (KEY,))


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "/ledger/tile/0/000"}, b""),
        (500, {}, b"oops"),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(50_000_000))),
        (200, {}, bytes(21 * 1024 * 1024)),
    ],
    ids=["redirect", "failure", "bomb", "flood"],
)
def test_an_odd_answer_is_no_verdict_on_the_ledger(
    published: Publisher, client: httpx.Client, answer: tuple[int, dict[str, str], bytes]
) -> None:
    published.oddly["/ledger/tile/0/001"] = answer
    with pytest.raises(LedgerError) as caught:
        verify_log(RemoteSource(published.url, client), (KEY,))
    assert not isinstance(caught.value, Tampered)


@pytest.mark.parametrize("base", ["http://127.0.0.1:1", "http://[bad", "nonsense"])
def test_a_server_that_is_not_there_is_said_to_be_so(base: str, client: httpx.Client) -> None:
    with pytest.raises(LedgerError, match="cannot be reached"):
        RemoteSource(base, client).checkpoint()


def test_a_folder_that_is_no_export_says_which_file_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(MalformedArtefact, match="checkpoint"):
        FolderSource(tmp_path).checkpoint()
    assert FolderSource(tmp_path).tile(TileName(0, 0)) is None


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "checkpoint").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(MalformedArtefact, match="too large"):
        FolderSource(tmp_path).checkpoint()
