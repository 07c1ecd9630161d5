"""Names that an estate can hold, out of the names of others."""

from __future__ import annotations

import hashlib
import re

_LONGEST, _LONGEST_ROOT = 63, 200
_MARK = 12
_MARKED = re.compile(rf"-[0-9a-f]{{{_MARK}}}$")
"""What looks as if it had been changed is changed, too, so that nobody can ask for its name."""


def name_of(text: str) -> str:
    """A name like the text; two texts never get one name.

    What had to be changed is told apart by a few digits of its digest.
    """
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")
    if plain == text and len(plain) <= _LONGEST and not _MARKED.search(plain):
        return plain
    mark = hashlib.sha256(text.encode()).hexdigest()[:_MARK]
    short = plain[: _LONGEST - _MARK - 1].strip("._-") or "unnamed"
    return f"{short}-{mark}"


def root_of(kind: str, text: str) -> str:
    """A root's name of this kind; two texts never get one name.

    What had to be changed is told apart by a few digits of its digest.
    """
    plain = re.sub(r"[^!-~]+", "-", text)
    if plain == text and 0 < len(plain) <= _LONGEST_ROOT:
        return f"{kind}:{plain}"
    mark = hashlib.sha256(text.encode()).hexdigest()[:_MARK]
    return f"{kind}:{plain[: _LONGEST_ROOT - _MARK - 1] or 'unnamed'}-{mark}"
