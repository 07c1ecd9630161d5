"""Names and identifiers: one spelling each, so that no alias or letter case makes a second one.

A name is 1–63 characters of `a-z`, `0-9`, `.`, `_`, `-`, beginning and ending with a letter or a
digit. Upper case is refused rather than folded: a lockout or an approval that is keyed by a name
cannot be escaped by spelling it differently.
"""

from __future__ import annotations

from typing import NewType

import msgspec

IdentityName = NewType("IdentityName", str)
GroupName = NewType("GroupName", str)
RequestId = NewType("RequestId", str)
GrantId = NewType("GrantId", str)
Digest = NewType("Digest", str)
"""`sha256:` and 64 lower-case hexadecimal digits."""

NAME_PATTERN = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"
_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_ENDS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LONGEST = 63


def is_name(text: str) -> bool:
    """Tell whether `text` is a name as the module's rule says."""
    return (
        0 < len(text) <= _LONGEST
        and text[0] in _ENDS
        and text[-1] in _ENDS
        and _ALPHABET.issuperset(text)
    )


class PathName(msgspec.Struct, frozen=True, order=True):
    """A path's full name, written `identity/path`."""

    identity: IdentityName
    path: str

    def __str__(self) -> str:
        return f"{self.identity}/{self.path}"

    @classmethod
    def parse(cls, text: str) -> PathName:
        """Read `identity/path`.

        Raises:
            ValueError: the text is not two names joined by one slash.
        """
        identity, slash, path = text.partition("/")
        if not slash or not is_name(identity) or not is_name(path):
            raise ValueError(
                "a path is written identity/path in lower case, e.g. payments-api/rotation-backup"
            )
        return cls(IdentityName(identity), path)
