"""Signed notes (C2SP signed-note), with Ed25519 and cosignatures (tlog-cosignature v1)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import NoReturn

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from locum.ledger.errors import MalformedArtefact, ProofInvalid

ED25519 = 0x01
COSIGNATURE = 0x04
_DASH = "\u2014 "
MOST_SIGNATURES = 64
LONGEST_NOTE = 65_536
_LATEST = 2**63 - 1
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key with its name, written `name+hex(key id)+base64(type ‖ key)`."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key)."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(material).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key.

        Raises:
            MalformedArtefact: not a key, an unknown type, or a key id that is not its own.
        """
        parts = text.removesuffix("\n").split("+", 2)
        try:
            blob = base64.b64decode(parts[2], validate=True)
            key = cls(parts[0], blob[0], blob[1:])
        except (IndexError, ValueError):
            raise _malformed("a verifier key") from None
        known = key.kind in (ED25519, COSIGNATURE) and len(key.public) == 32
        if not known or not is_key_name(key.name) or str(key) != text.removesuffix("\n"):
            raise _malformed("a verifier key")
        return key


class Signer:
    """An Ed25519 key that signs notes under its name; never shows its private part."""

    def __init__(self, name: str, private: Ed25519PrivateKey, kind: int = ED25519) -> None:
        if not is_key_name(name):
            raise _malformed("a key name")
        self._private = private
        self.verifier = VerifierKey(name, kind, private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"Signer({self.verifier.name})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Signer is not pickled")

    def sign(self, text: bytes) -> bytes:
        """The signature line for a note's text."""
        return self._line(self._private.sign(text))

    def cosign(self, text: bytes, time: int) -> bytes:
        """The cosignature line of a witness that saw the checkpoint at `time` (Unix seconds)."""
        signature = self._private.sign(_cosigned(text, time))
        return self._line(time.to_bytes(8, "big") + signature)

    def _line(self, signature: bytes) -> bytes:
        blob = base64.b64encode(self.verifier.key_id + signature).decode()
        return f"{_DASH}{self.verifier.name} {blob}\n".encode()


class Note(msgspec.Struct, frozen=True):
    """A note's text, which ends with a newline, and its signatures by (name, key id)."""

    text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]


def is_key_name(name: str) -> bool:
    """Tell whether `name` may name a key: not empty, no white space, no control, no plus sign."""
    return bool(name) and not any(one.isspace() or one < " " or one == "+" for one in name)


def parse_note(note: bytes) -> Note:
    """Split a note into text and signatures.

    Raises:
        MalformedArtefact: not a signed note.
    """
    text, blank, lines = note.rpartition(b"\n\n")
    odd = len(note) > LONGEST_NOTE or not blank or not lines.endswith(b"\n")
    if odd or _CONTROL.search(note) is not None:
        raise _malformed("a signed note")
    signatures: list[tuple[str, bytes, bytes]] = []
    try:
        text.decode()
        for line in lines.decode()[:-1].split("\n"):
            name, _, encoded = line.removeprefix(_DASH).partition(" ")
            blob = base64.b64decode(encoded, validate=True)
            canonical = base64.b64encode(blob).decode() == encoded
            if not (line.startswith(_DASH) and canonical and is_key_name(name) and len(blob) > 4):
                raise _malformed("a signature line")
            signatures.append((name, blob[:4], blob[4:]))
    except ValueError:
        raise _malformed("a signed note in UTF-8 and base64") from None
    if len(signatures) > MOST_SIGNATURES:
        raise _malformed("a note with so many signatures")
    return Note(text + b"\n", tuple(signatures))


def open_note(note: bytes, keys: Sequence[VerifierKey]) -> bytes:
    """The text of a note that one of `keys` signed; signatures of other keys are passed over.

    Raises:
        MalformedArtefact: not a signed note.
        ProofInvalid: none of the keys signed it, or one of them is named with a false signature.
    """
    parsed = parse_note(note)
    verified = False
    for name, key_id, signature in parsed.signatures:
        for key in keys:
            if (key.name, key.key_id) == (name, key_id):
                _verify(key, parsed.text, signature)
                verified = True
    if not verified:
        raise ProofInvalid(
            "The note carries no signature of a known key.", "Compare the verifier key."
        )
    return parsed.text


def _verify(key: VerifierKey, text: bytes, signature: bytes) -> None:
    signed = text
    if key.kind == COSIGNATURE:
        time = int.from_bytes(signature[:8], "big")
        if len(signature) != 72 or time > _LATEST:
            raise _false(key)
        signed = _cosigned(text, time)
        signature = signature[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed)
    except InvalidSignature:
        raise _false(key) from None


def _false(key: VerifierKey) -> ProofInvalid:
    return ProofInvalid(f"The signature of {key.name} is false.", "Raise an alarm.")


def _cosigned(text: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % time + text


def _malformed(what: str) -> MalformedArtefact:
    return MalformedArtefact(f"This is not {what}.", "See C2SP signed-note for the form.")
