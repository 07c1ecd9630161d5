"""Secrets of our own making: passwords and leased tokens.

Both are 32 random bytes written as 43 digits of base 62: no character that a shell, a URL, a
header or a connection string treats specially, and no dash in front. A leased token wears a unique
prefix and a checksum, so that a secret scanner finds it without false alarms and so that a
mistyped one is refused before any look-up. Source: requirements §6, secret-scanning partners.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable

from locum.model.refusal import MalformedInput
from locum.model.secret import Secret

TOKEN_PREFIX = "locum_lt_"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_RANDOM_BYTES = 32
_BODY_DIGITS = 43
_CHECK_DIGITS = 6
_TOKEN_LENGTH = len(TOKEN_PREFIX) + _BODY_DIGITS + _CHECK_DIGITS


def new_password(rng: Callable[[int], bytes]) -> Secret:
    """Make a password of 256 bits."""
    return Secret(_base62(int.from_bytes(rng(_RANDOM_BYTES)), _BODY_DIGITS))


def new_token(rng: Callable[[int], bytes]) -> Secret:
    """Make a leased token: `locum_lt_`, 43 random digits, 6 digits of checksum."""
    unchecked = TOKEN_PREFIX + _base62(int.from_bytes(rng(_RANDOM_BYTES)), _BODY_DIGITS)
    return Secret(unchecked + _checksum(unchecked))


def parse_token(text: str) -> Secret:
    """Read a leased token by its shape; whether it is live is the store's to say.

    Raises:
        MalformedInput: not a token of ours, whatever the reason.
    """
    unchecked, check = text[:-_CHECK_DIGITS], text[-_CHECK_DIGITS:]
    body = unchecked.removeprefix(TOKEN_PREFIX)
    if (
        len(text) != _TOKEN_LENGTH
        or not text.startswith(TOKEN_PREFIX)
        or not _VALUES.keys() >= set(body)
        or _number(body) >= 1 << (8 * _RANDOM_BYTES)
        or check != _checksum(unchecked)
    ):
        raise MalformedInput(
            "This is not a leased token.", "Send the token exactly as it was delivered."
        )
    return Secret(text)


def token_hash(token: Secret) -> bytes:
    """The SHA-256 by which a store knows a token; 256 random bits need no salt."""
    return hashlib.sha256(token.reveal().encode()).digest()


def _checksum(unchecked: str) -> str:
    return _base62(zlib.crc32(unchecked.encode()), _CHECK_DIGITS)


def _base62(number: int, width: int) -> str:
    pairs: list[str] = []
    while 2 * len(pairs) < width:
        # Ten digits at a time, since dividing what fits a machine word is several times faster.
        number, ten = divmod(number, 62**10)
        for _ in range(5):
            ten, pair = divmod(ten, 3_844)
            pairs.append(_PAIRS[pair])
    pairs.reverse()
    return "".join(pairs)[-width:]


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 62 + _VALUES[digit]
    return number
