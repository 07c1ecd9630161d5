"""A secret that cannot be printed by accident.

`repr`, `str`, formatting, JSON encoding and pickling of a `Secret` never show what it holds; the
one way to the value is `reveal()`, so that a reader can find every place where one is used.
"""

from __future__ import annotations

import hmac
from typing import NoReturn, final


@final
class Secret:
    """Hold a secret text; only `reveal()` gives it back.

    Args:
        value: the secret itself.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Give the secret itself, for the one place that must send or inject it."""
        return self.__value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")
