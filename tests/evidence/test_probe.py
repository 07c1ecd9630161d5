"""Probes against real sockets: up, down, and what must stay undecided."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from locum.evidence import address
from locum.evidence.probe import observe
from locum.model.cause import HttpProbe, Observation, OidcProbe, Probe, SqlProbe, TcpProbe
from locum.model.estate import Database
from locum.model.refusal import MalformedInput, Unavailable
from locum.model.secret import Secret

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def seen(probe: Probe) -> Observation:
    return observe(probe, NOW, {}, lambda _: Secret("unused"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Answering:
    """A socket that answers every request with the same bytes."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.answers: dict[str, bytes] = {}
        self.otherwise = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def says(self, status: int, body: bytes = b"", path: str | None = None, more: str = "") -> None:
        answer = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body
        if path is None:
            self.otherwise = answer
        else:
            self.answers[path] = answer

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with line:
                path = line.recv(65_536).split(b" ")[1:2]
                line.sendall(self.answers.get(path[0].decode() if path else "", self.otherwise))


@pytest.fixture
def primary() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.listener.close()


@pytest.mark.parametrize("status", [200, 204, 301, 401, 404, 429, 499])
def test_a_primary_that_answers_below_500_is_up(primary: Answering, status: int) -> None:
    primary.says(status)
    assert seen(HttpProbe(primary.url)) == Observation(
        True, NOW, f"{primary.url} answered {status}."
    )


@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_a_primary_that_answers_500_or_more_is_down(primary: Answering, status: int) -> None:
    primary.says(status)
    assert not seen(HttpProbe(primary.url)).up


def test_a_redirect_is_an_answer_and_is_not_followed(primary: Answering) -> None:
    primary.says(302, more=f"Location: http://127.0.0.1:{free_port()}/\r\n")
    assert seen(HttpProbe(primary.url)).up


def test_a_primary_that_refuses_the_connection_is_down() -> None:
    port = free_port()
    for probe in (HttpProbe(f"http://127.0.0.1:{port}/"), TcpProbe("127.0.0.1", port)):
        found = seen(probe)
        assert not found.up
        assert "refused the connection" in found.detail


@pytest.mark.parametrize("babble", [b"", b"\x00\xff", b"SSH-2.0-x\r\n"])
def test_a_primary_that_speaks_something_else_is_down(primary: Answering, babble: bytes) -> None:
    primary.otherwise = babble
    assert not seen(HttpProbe(primary.url)).up


def test_a_primary_that_accepts_and_says_nothing_is_down_and_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = seen(HttpProbe(f"http://127.0.0.1:{listener.getsockname()[1]}/"))
    assert not found.up
    assert "did not answer within 3 s" in found.detail


def test_an_answer_without_end_decides_nothing(primary: Answering) -> None:
    primary.says(200, b"x" * 200_000)
    with pytest.raises(Unavailable, match="more than"):
        seen(HttpProbe(primary.url))


def test_an_address_that_accepts_is_up(primary: Answering) -> None:
    assert seen(TcpProbe("127.0.0.1", primary.port)).up


@pytest.mark.parametrize(
    "probe",
    [
        HttpProbe("https://no-such-host.invalid/"),
        TcpProbe("no-such-host.invalid", 443),
        OidcProbe("https://no-such-host.invalid"),
    ],
)
def test_a_name_that_does_not_resolve_decides_nothing(probe: Probe) -> None:
    with pytest.raises(Unavailable, match="does not resolve"):
        seen(probe)


def test_a_resolver_that_hangs_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = threading.Event()
    monkeypatch.setattr(address, "_RESOLVE_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: hanging.wait(5) or [])
    with pytest.raises(Unavailable, match="does not resolve"):
        seen(TcpProbe("slow.example", 443))
    hanging.set()


@pytest.mark.parametrize(
    "probe",
    [
        HttpProbe("http://example.com/"),
        HttpProbe("file:///etc/passwd"),
        HttpProbe("https://user:hunter2@127.0.0.1/"),
        HttpProbe(""),
        HttpProbe("https://[::1"),
        TcpProbe("127.0.0.1", 0),
        TcpProbe("127.0.0.1", 65_536),
        SqlProbe("nowhere"),
        OidcProbe("http://issuer.example"),
    ],
)
def test_a_probe_that_cannot_be_run_is_the_declarations_fault(probe: Probe) -> None:
    with pytest.raises(MalformedInput) as refused:
        seen(probe)
    assert "hunter2" not in str(refused.value)


def issuer(primary: Answering, document: object, keys: bytes = b'{"keys":[{"kty":"EC"}]}') -> None:
    primary.says(200, json.dumps(document).encode(), "/.well-known/openid-configuration")
    primary.says(200, keys, "/jwks")


def good(primary: Answering) -> dict[str, str]:
    return {"issuer": primary.url, "jwks_uri": primary.url + "/jwks"}


def test_an_issuer_that_is_discovered_with_keys_is_up(primary: Answering) -> None:
    issuer(primary, good(primary))
    assert seen(OidcProbe(primary.url)).up


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"issuer": "https://evil.example"}, b'{"keys":[{}]}'),
        ({"issuer": 5}, b'{"keys":[{}]}'),
        ({"jwks_uri": "ftp://x"}, b'{"keys":[{}]}'),
        ({}, b'{"keys":[]}'),
        ({}, b"{}"),
        ({}, b"not json"),
        ({}, b"[" * 60_000),
    ],
)
def test_an_issuer_that_is_not_what_it_must_be_is_down(
    primary: Answering, change: dict[str, object], keys: bytes
) -> None:
    issuer(primary, good(primary) | change, keys)
    assert not seen(OidcProbe(primary.url)).up


def test_an_issuer_without_its_keys_is_down(primary: Answering) -> None:
    issuer(primary, good(primary))
    primary.says(503, path="/jwks")
    assert not seen(OidcProbe(primary.url)).up


def database(port: int, host: str = "127.0.0.1") -> dict[str, Database]:
    return {"orders": Database("orders", host, port, "db", "locum", "sealed", sslmode="disable")}


def test_a_database_that_refuses_the_connection_is_down() -> None:
    found = observe(SqlProbe("orders"), NOW, database(free_port()), lambda _: Secret("x"))
    assert not found.up


def test_a_database_that_speaks_something_else_is_down(primary: Answering) -> None:
    found = observe(SqlProbe("orders"), NOW, database(primary.port), lambda _: Secret("x"))
    assert not found.up


def test_while_our_vault_is_shut_nothing_is_decided_of_a_database() -> None:
    def shut(_: str) -> Secret:
        raise Unavailable("The vault is shut.", "Open it.")

    with pytest.raises(Unavailable, match="vault is shut"):
        observe(SqlProbe("orders"), NOW, database(free_port()), shut)


def test_a_database_whose_name_does_not_resolve_is_undecided() -> None:
    with pytest.raises(Unavailable, match="does not resolve"):
        observe(
            SqlProbe("orders"), NOW, database(5432, "no-such-host.invalid"), lambda _: Secret("x")
        )
