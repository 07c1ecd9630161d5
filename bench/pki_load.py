"""Load over kept connections, with or without client certificates; the same client for both sides.

`wrk` speaks no client certificates, and `h2load` sends one body for ever, so this is ours: one
process, non-blocking sockets, whole requests prepared beforehand, and of an answer only its status
and its length are read. It costs about 40 µs of processor time a call, on the same cores as the
server that is measured, and on both sides alike.
"""

from __future__ import annotations

import gc
import select
import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import psutil

from bench.load import Run

_ONE_READ = 65_536


class Line:
    """One kept connection, and the call that is under way on it."""

    def __init__(self, url: str, trust: ssl.SSLContext | None) -> None:
        self._url, self._trust = url, trust
        self.sent_at = 0.0
        self._got = bytearray()
        self.socket = self._connect()

    def _connect(self) -> socket.socket:
        parts = urlsplit(self._url)
        plain = socket.create_connection((parts.hostname, parts.port), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._trust is not None:
            plain = self._trust.wrap_socket(plain, server_hostname=parts.hostname)
        plain.setblocking(False)
        return plain

    def send(self, call: bytes) -> None:
        """Send a whole request; it is small enough for the socket's buffer."""
        self._got.clear()
        self.sent_at = time.perf_counter()
        if self.socket.send(call) != len(call):
            raise RuntimeError("a request did not fit into the socket's buffer")

    def answered(self) -> bytes | None:
        """Give the whole answer once it is there."""
        while True:
            try:
                more = self.socket.recv(_ONE_READ)
            except (BlockingIOError, ssl.SSLWantReadError):
                break
            if not more:
                raise RuntimeError(f"the server ended the connection: {bytes(self._got[:300])!r}")
            self._got += more
        return bytes(self._got) if self._got and _whole(self._got) else None

    def ask(self, call: bytes) -> bytes:
        """Send one request and wait for its answer; servers end connections that were idle."""
        if self._ended():
            self.socket.close()
            self.socket = self._connect()
        self.send(call)
        while (answer := self.answered()) is None:
            if not select.select([self.socket], [], [], 60)[0]:
                raise RuntimeError("no answer within 60 s")
        return answer

    def _ended(self) -> bool:
        """Whether the server ended the connection while nothing was under way on it."""
        try:
            return self.socket.recv(1) == b""
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True


def request(
    method: str, url: str, body: bytes = b"", headers: Sequence[tuple[str, str]] = ()
) -> bytes:
    """Give the bytes of one HTTP/1.1 request over a kept connection."""
    parts = urlsplit(url)
    lines = [f"{method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def body_of(answer: bytes) -> bytes:
    """The body of an answer, whichever way its length was said."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    parts: list[bytes] = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        parts.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return b"".join(parts)


def drive(
    url: str,
    calls: Sequence[bytes],
    clients: int,
    seconds: float,
    process: int,
    *,
    status: int,
    trust: ssl.SSLContext | None = None,
    again: bool = False,
) -> tuple[Run, list[bytes]]:
    """Send prepared calls over `clients` connections, for `seconds` or until there is none left.

    Args:
        calls: whole requests; each is sent once, or in a circle if `again`.
        process: whose CPU time, memory and written bytes are counted, with its children's.
        status: what a good answer has.
        trust: for TLS, with the client's certificate in it; `None` means plain HTTP.

    Returns:
        What was measured, and the good answers.
    """
    lines = [Line(url, trust) for _ in range(clients)]
    server = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
    before, took, kept = _used(server), _Kept(status, again), time.perf_counter()
    gc.disable()
    try:
        _loop(lines, _following(calls, again), kept + seconds, took)
    finally:
        gc.enable()
        for line in lines:
            line.socket.close()
    lasted = time.perf_counter() - kept
    after = _used(server)
    good = len(took.waits)
    ordered = sorted(took.waits) or [0.0]
    share = [1e3 * ordered[min(int(len(ordered) * at), len(ordered) - 1)] for at in _SHARES]
    run = Run(
        good / lasted, share[0], share[1], share[2], (after[0] - before[0]) / lasted,
        sum(one.memory_info().rss for one in server) / 1e6,
        (after[1] - before[1]) / 1e3 / max(good, 1), took.wrong, took.said, good + took.wrong,
    )  # fmt: skip
    return run, took.answers


_SHARES = (0.5, 0.99, 0.999)


class _Kept:
    """What came of a run."""

    def __init__(self, status: int, again: bool) -> None:
        self._good = f"HTTP/1.1 {status} ".encode()
        self._keep = not again
        self.waits: list[float] = []
        self.answers: list[bytes] = []
        self.wrong = 0
        self.said = ""

    def note(self, answer: bytes, waited: float) -> None:
        if answer.startswith(self._good):
            self.waits.append(waited)
            if self._keep:
                self.answers.append(answer)
            return
        self.wrong += 1
        self.said = self.said or repr(answer[:14] + b" " + body_of(answer)[:300])


def _loop(lines: Sequence[Line], calls: Iterator[bytes], end: float, kept: _Kept) -> None:
    """Keep one call under way on each connection; calls begun before the end are waited for."""
    under_way = 0
    with selectors.DefaultSelector() as ready:
        for line in lines:
            if (call := next(calls, None)) is None:
                break
            ready.register(line.socket, selectors.EVENT_READ, line)
            line.send(call)
            under_way += 1
        while under_way:
            events = ready.select(timeout=30)
            if not events:
                raise RuntimeError("no answer within 30 s")
            for key, _ in events:
                line = key.data
                if (answer := line.answered()) is None:
                    continue
                now = time.perf_counter()
                kept.note(answer, now - line.sent_at)
                call = next(calls, None) if now < end else None
                if call is None:
                    under_way -= 1
                else:
                    line.send(call)


def _following(calls: Sequence[bytes], again: bool) -> Iterator[bytes]:
    while True:
        yield from calls
        if not again:
            return


def _whole(got: bytearray) -> bool:
    end = got.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(got[:end]).lower()
    at = head.find(b"content-length: ")
    if at < 0:
        return b"transfer-encoding: chunked" not in head or got.endswith(b"\r\n0\r\n\r\n")
    length = int(head[at + 16 :].split(b"\r\n", 1)[0])
    return len(got) >= end + 4 + length


def _used(processes: Sequence[psutil.Process]) -> tuple[float, int]:
    """CPU seconds and written bytes of processes together."""
    times = [one.cpu_times() for one in processes]
    written = sum(one.io_counters().write_bytes for one in processes)
    return sum(one.user + one.system for one in times), written
