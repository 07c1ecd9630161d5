"""Behind fronts with TLS: workloads by their certificates, and streams that go on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from locum.http.frames import Answered, GoneCall, Part, RelayCall, framed
from locum.http.relay import relayed
from locum.http.wire import Wire
from tests.pki.authorities import CorporateAuthority, csr
from tests.pki.rotating import NAME, RotatingWorld, RunningClock
from tests.servers.program import launch, wait_until


class FrontedWorld(RotatingWorld):
    """The rotating world, served by `locum serve` with two fronts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, clock=RunningClock())
        super().close()
        settings = self.data / "locum.toml"
        text = settings.read_text().replace("calls_per_second", "fronts = 2\ncalls_per_second")
        settings.write_text(text)
        self.log = folder / "log"
        words: list[str | Path] = [sys.executable, "-m", "locum", "serve", "--data", self.data]
        self.process: subprocess.Popen[bytes] = launch(words, self.log, folder=folder)
        wait_until(self.ready, self.process, self.log, "locum serve")

    def ready(self) -> bool:
        try:
            return self.call("GET", "/readyz").is_success
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def fronted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontedWorld]:
    made = FrontedWorld(tmp_path_factory.mktemp("fronted"))
    yield made
    made.close()


def fresh() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_a_rotation_goes_as_it_does_without_fronts(fronted: FrontedWorld) -> None:
    request = fronted.announce().json()["id"]
    refused = fronted.activate(request, csr(fresh(), ("other.internal",)))
    assert refused.status_code == 403, refused.text
    assert "other.internal" in refused.text
    for broken in ("nothing", csr(fresh(), authority=True)[:-60], "x" * 20_000):
        assert fronted.activate(request, broken).status_code == 400
    assert fronted.activate(request, csr(fresh()), fronted.gateway).status_code == 404
    assert fronted.call("POST", f"/v1/requests/{request}/activate", json={}).status_code == 401
    told = fronted.activate(request, csr(fresh()))
    assert told.status_code == 201, told.text
    leaf = x509.load_pem_x509_certificates(told.json()["credential"]["value"].encode())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert NAME in names.get_values_for_type(x509.DNSName)
    done = fronted.cutover(told.json()["grant"]["id"], fronted.renewed())
    assert done.json()["dead"], done.text


def test_one_idempotency_key_opens_once_and_the_replay_has_no_certificate(
    fronted: FrontedWorld,
) -> None:
    request, body = fronted.announce().json()["id"], {"csr": csr(fresh())}
    answers = [
        fronted.call(
            "POST", f"/v1/requests/{request}/activate", fronted.primary, json=body,
            headers={"Idempotency-Key": "once"},
        )
        for _ in range(2)
    ]  # fmt: skip
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["credential"]["kind"] == "backup-certificate"
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert not answers[1].json().get("credential")
    fronted.cutover(answers[0].json()["grant"]["id"], fronted.renewed())


def test_revocations_are_streamed_through_a_front_as_they_happen(fronted: FrontedWorld) -> None:
    grant = fronted.opened()[0]
    heard: list[str] = []
    beating, told = threading.Event(), threading.Event()

    def listen() -> None:
        with (
            httpx.Client(verify=fronted.context(), timeout=10) as client,
            client.stream("GET", f"{fronted.origin}/v1/revocations") as answer,
        ):
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith(":"):
                    beating.set()
                if line.startswith("data:") and beating.is_set():
                    heard.append(json.loads(line[5:])["serial"])
                    told.set()
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    assert beating.wait(10)
    serials = [
        one["serial"]
        for one in fronted.call("GET", f"/v1/grants/{grant}/certificates", fronted.primary).json()
    ]
    began = time.monotonic()
    assert fronted.cutover(grant, fronted.renewed()).json()["dead"]
    assert told.wait(10)
    print(f"heard through a front after {1000 * (time.monotonic() - began):.0f} ms")
    thread.join(10)
    assert heard == serials


def test_a_call_whose_caller_left_ends_and_one_that_breaks_later_is_ended() -> None:
    told: list[Answered | Part] = []
    call = RelayCall(7, "GET", "/stream", b"", (), "127.0.0.1", b"")

    async def until_left(_scope: object, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            continue

    async def breaks(_scope: object, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        raise RuntimeError("a bug")

    async def play() -> None:
        gone = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, gone.set)
        async with asyncio.timeout(10):
            await relayed(until_left, call, gone, told.append)
            await relayed(breaks, call, asyncio.Event(), told.append)

    asyncio.run(play())
    assert [type(one) for one in told] == [Answered, Answered, Part]
    assert isinstance(told[0], Answered)
    assert told[0].more
    assert told[2] == Part(7, b"", False)


def test_the_deciding_process_is_told_of_a_listener_that_left_or_lags() -> None:
    written: list[bytes] = []

    class Transport:
        def write(self, data: bytes) -> None:
            written.append(data)

    async def play() -> list[Part | None]:
        wire = Wire()
        wire.connection_made(Transport())
        asking = asyncio.create_task(wire.ask(RelayCall(7, "GET", "/", b"", (), "", b"")))
        await asyncio.sleep(0)
        wire.data_received(framed([Answered(7, 200, (), b"", True)]))
        assert (await asking).more
        parts = wire.parts(7)
        for number in range(10_002):
            wire.data_received(framed([Part(7, b"%d" % number, True)]))
        await asyncio.sleep(0)
        return [parts.get_nowait() for _ in range(parts.qsize())]

    got = asyncio.run(play())
    assert got[-1] is None  # cut off, and not ended as if it were whole
    assert framed([GoneCall(7)]) in written


def test_an_authority_that_the_estate_comes_to_trust_is_trusted_by_the_fronts(
    fronted: FrontedWorld, tmp_path: Path
) -> None:
    other = CorporateAuthority(tmp_path, datetime.now(UTC), "Another CA")
    held = other.issue("payments", (NAME, "pay.example.com"))

    def known() -> bool:
        try:
            return fronted.call("GET", "/v1/requests/rq_none", held).status_code == 404
        except httpx.HTTPError:
            return False

    assert not known()
    estate = fronted.data / "estate.yaml"
    before = estate.read_text()
    pem = "".join(f"      {line}\n" for line in other.pem.splitlines())
    estate.write_text(before.replace("    certificates: |\n", f"    certificates: |\n{pem}", 1))
    try:
        for _ in range(200):
            if known():
                break
            time.sleep(0.05)
        assert known(), fronted.log.read_text()[-2000:]
    finally:
        estate.write_text(before)
