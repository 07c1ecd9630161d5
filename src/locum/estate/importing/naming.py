"""Names that an estate can hold, out of the names of others."""

from __future__ import annotations

import hashlib
import re

from locum.model.names import NAME_PATTERN

_LONGEST = 63
_MARK = 8


def name_of(text: str) -> str:
    """A name like the text; two texts never get one name.

    What had to be changed is told apart by a few digits of its digest.
    """
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")
    if plain == text and len(plain) <= _LONGEST and re.match(NAME_PATTERN, plain):
        return plain
    mark = hashlib.sha256(text.encode()).hexdigest()[:_MARK]
    short = plain[: _LONGEST - _MARK - 1].strip("._-") or "unnamed"
    return f"{short}-{mark}"


def root_of(kind: str, text: str) -> str:
    """A root's name of this kind, without what a name there cannot hold."""
    return f"{kind}:{re.sub(r'[^!-~]+', '-', text)[:200] or 'unnamed'}"
