"""`GET /v1/revocations`: what stands, a beat, then what happens; nobody listens blindly."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from locum.http.revocations import Listeners, _since
from locum.model.refusal import StorageError, TooMany
from locum.service.revocation_feed import BACK
from tests.pki.rotating import RotatingWorld


@contextmanager
def listening(world: RotatingWorld, **headers: str) -> Iterator[Iterator[str]]:
    with (
        httpx.Client(verify=world.context(), timeout=10) as client,
        client.stream("GET", f"{world.origin}/v1/revocations", headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield answer.iter_lines()


def until_beat(lines: Iterator[str]) -> list[str]:
    """The serial numbers that are told before the next beat, with the ids before them."""
    told = []
    for line in lines:
        if line.startswith(":"):
            return told
        if line.startswith("data:"):
            told.append(json.loads(line[5:])["serial"])
    raise AssertionError("the stream ended")


def revoked(world: RotatingWorld) -> str:
    """Open and cut over; gives the serial number of the backup."""
    grant, _ = world.opened()
    [one] = world.call("GET", f"/v1/grants/{grant}/certificates", world.primary).json()
    world.clock.advance(BACK * 2)
    assert world.cutover(grant, world.renewed()).json()["dead"]
    return str(one["serial"])


def test_what_stands_is_told_before_the_first_beat_and_news_after_it(world: RotatingWorld) -> None:
    first = revoked(world)
    with listening(world) as lines, listening(world) as others:
        assert until_beat(lines) == until_beat(others) == [first]
        heard: dict[str, list[str]] = {}

        def wait(name: str, from_: Iterator[str]) -> None:
            while not heard.get(name):
                heard[name] = until_beat(from_)

        threads = [
            threading.Thread(target=wait, args=("one", lines)),
            threading.Thread(target=wait, args=("two", others)),
        ]
        for thread in threads:
            thread.start()
        second = revoked(world)
        for thread in threads:
            thread.join(10)
        assert heard == {"one": [second], "two": [second]}


def test_a_listener_that_comes_back_is_told_what_it_missed_and_no_more(
    world: RotatingWorld,
) -> None:
    first = revoked(world)
    with listening(world) as lines:
        known = next(line[4:] for line in lines if line.startswith("id: "))
    second = revoked(world)
    with listening(world, **{"Last-Event-ID": known}) as lines:
        told = until_beat(lines)
    assert second in told
    world.clock.advance(BACK)
    for odd in ("", "yesterday", "2026-11-24T00:00:00", "0001-01-01T00:00:00+00:00"):
        assert _since(odd) is None
        with listening(world, **{"Last-Event-ID": odd or "-"}) as lines:
            assert set(until_beat(lines)) == {first, second}


def test_one_listener_too_many_is_refused_and_a_place_is_free_when_one_leaves(
    world: RotatingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locum.http.revocations.MOST", 2)
    with listening(world) as one, listening(world) as two:
        until_beat(one)
        until_beat(two)
        refused = world.call("GET", "/v1/revocations")
        assert refused.status_code == 429
        assert "retry-after" in refused.headers
    for _ in range(500):
        with httpx.Client(verify=world.context(), timeout=10) as client:
            answer = client.send(
                client.build_request("GET", f"{world.origin}/v1/revocations"), stream=True
            )
            answer.close()
        if answer.status_code == 200:
            return
    raise AssertionError("no place came free")


class Broken:
    """A feed whose store fails after the first look, or fails by a bug."""

    def __init__(self, error: Exception) -> None:
        self.error, self.looks = error, 0

    def standing(self) -> tuple[()]:
        return ()

    def news(self) -> tuple[()]:
        raise self.error


@pytest.mark.parametrize("error", [StorageError("The disk is full.", "Make room."), KeyError("x")])
def test_a_store_that_fails_ends_every_stream(
    world: RotatingWorld, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locum.http.revocations.RevocationFeed", lambda _: Broken(error))

    class Face:
        locum = None

    async def play() -> list[list[bytes]]:
        listeners = Listeners(Face())  # type: ignore[arg-type]
        streams = [listeners.join(None) for _ in range(3)]
        async with asyncio.timeout(10):
            return await asyncio.gather(*(drained(one) for one in streams))

    async def drained(stream: object) -> list[bytes]:
        return [part async for part in stream]  # type: ignore[attr-defined]

    for told in asyncio.run(play()):
        assert told
        assert set(told) == {b": beat\n\n"}


def test_a_stream_that_is_never_read_takes_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("locum.http.revocations.MOST", 1)
    monkeypatch.setattr("locum.http.revocations.RevocationFeed", lambda _: None)

    class Face:
        locum = None

    listeners = Listeners(Face())  # type: ignore[arg-type]
    first = listeners.join(None)
    with pytest.raises(TooMany):
        listeners.join(None)
    del first
    assert listeners.join(None) is not None
