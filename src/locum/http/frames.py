"""What passes between a front and the process that decides: lists of calls, lists of answers.

Each frame is four bytes of length and a MessagePack list, over a socket pair that only the two
processes hold, so what a front says of a call is believed. What waits goes into one frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from litestar import Response

from locum.issue.signing_request import SigningRequest
from locum.model.names import RequestId
from locum.service.caller import Proven

Headers = tuple[tuple[bytes, bytes], ...]


class FrontSettings(msgspec.Struct, frozen=True):
    """What a front is told at its start; it holds no key that signs or seals anything of Locum's.

    Args:
        origin: the public address.
        token_key: the public JWK that access tokens are verified with.
        calls_per_second, burst: the throttle.
        largest: the largest body, in bytes.
        certificate, key: TLS files; empty for plain HTTP on loopback.
        authorities: those that sign client certificates, PEM.
    """

    origin: str
    token_key: dict[str, str | list[str]]
    calls_per_second: float
    burst: float
    largest: int
    certificate: str
    key: str
    authorities: str = ""


class OpenCall(msgspec.Struct, frozen=True, tag="open"):
    """Open a path, for a caller who was proved."""

    number: int
    proven: Proven
    request: RequestId
    idempotency_key: str
    body: bytes


class IssueCall(msgspec.Struct, frozen=True, tag="issue"):
    """Open a path for a workload by its certificate, with a signing request that was read.

    Args:
        peer: the certificate that the handshake verified, DER; whose it is stays to be decided.
        csr: the request of the body; possession of its key is proved.
    """

    number: int
    peer: bytes
    source: str
    request: RequestId
    idempotency_key: str
    body: bytes
    csr: SigningRequest


class CheckCall(msgspec.Struct, frozen=True, tag="check"):
    """Introspect a leased token, for a caller who was proved."""

    number: int
    proven: Proven
    token: str

    def __repr__(self) -> str:
        return f"CheckCall({self.number})"


class RelayCall(msgspec.Struct, frozen=True, tag="relay"):
    """Any other call as it came, to be proved and answered by the application."""

    number: int
    method: str
    path: str
    query: bytes
    headers: Headers
    source: str
    body: bytes
    peer: bytes = b""

    def __repr__(self) -> str:
        return f"RelayCall({self.number}, {self.method} {self.path})"


class GoneCall(msgspec.Struct, frozen=True, tag="gone"):
    """Whoever made the call of that number left before its answer was whole."""

    number: int


Call = OpenCall | IssueCall | CheckCall | RelayCall | GoneCall


class Trusting(msgspec.Struct, frozen=True, tag="trusting"):
    """The authorities of client certificates from now on, PEM: the estate changed."""

    authorities: str


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """The answer to one call; where there is `more`, parts of its body follow."""

    number: int
    status: int
    headers: Headers
    body: bytes
    more: bool = False

    def __repr__(self) -> str:
        return f"Answered({self.number}, {self.status})"


class Part(msgspec.Struct, frozen=True, tag="part"):
    """A further part of an answer's body."""

    number: int
    body: bytes
    more: bool


FromBehind = Answered | Part | Trusting
_calls = msgspec.msgpack.Decoder(tuple[Call, ...])
_answers = msgspec.msgpack.Decoder(tuple[FromBehind, ...])
_settings = msgspec.msgpack.Decoder(FrontSettings)
_encoder = msgspec.msgpack.Encoder()


class Frames:
    """Cut a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def fed(self, more: bytes) -> Iterator[bytes]:
        """Take in more of the stream and give every frame that is whole."""
        self._rest += more
        while len(self._rest) >= 4:
            end = 4 + int.from_bytes(self._rest[:4])
            if len(self._rest) < end:
                return
            frame = bytes(self._rest[4:end])
            del self._rest[:end]
            yield frame


def framed(value: Sequence[Call] | Sequence[FromBehind] | FrontSettings) -> bytes:
    """The frame of a value."""
    body = _encoder.encode(value)
    return len(body).to_bytes(4) + body


def calls_in(frame: bytes) -> tuple[Call, ...]:
    """The calls of a frame."""
    return _calls.decode(frame)


def answers_in(frame: bytes) -> tuple[FromBehind, ...]:
    """What a frame tells a front: answers, and whom to trust."""
    return _answers.decode(frame)


def settings_in(frame: bytes) -> FrontSettings:
    """The settings of a frame."""
    return _settings.decode(frame)


def answered(number: int, response: Response[Any]) -> Answered:
    """A response as it goes over the wire."""
    body = response.content
    headers = (
        (b"content-type", str(response.media_type or "application/json").encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in response.headers.items()),
    )
    return Answered(number, response.status_code or 200, headers, body)
