"""Digests of values: SHA-256 over one canonical JSON encoding."""

from __future__ import annotations

import hashlib

import msgspec

from locum.model.names import Digest

_encoder = msgspec.json.Encoder(order="deterministic")


def canonical(value: object) -> bytes:
    """Encode a value as JSON with ordered keys and ordered sets, without white space."""
    return _encoder.encode(value)


def digest(value: object) -> Digest:
    """`sha256:` and the hexadecimal SHA-256 of the canonical encoding."""
    return Digest("sha256:" + hashlib.sha256(canonical(value)).hexdigest())
