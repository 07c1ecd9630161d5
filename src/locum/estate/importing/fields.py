"""An object of an export: each field is read as the kind that it must be.

What is not there, or null, is as good as unsaid; what is there and of another kind is refused with
the place of its object, because a list that is read as empty makes an estate look stronger.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

from locum.estate.importing.refusing import refuse
from locum.estate.problem import Position

_ANEW = "Export it anew, or name the right export."
T = TypeVar("T")


class Fields:
    """The fields of one object.

    Args:
        said: the object.
        place: where it, or what it stands in, begins.
        path: the keys that lead to it from there.
    """

    __slots__ = ("_path", "_said", "place")

    def __init__(self, said: dict[str, Any], place: Position, path: tuple[str, ...] = ()) -> None:
        self._said, self.place, self._path = said, place, path

    @classmethod
    def of(cls, value: Any, place: Position, path: tuple[str, ...]) -> Fields:
        """The fields of an element of a list.

        Args:
            path: where the list stands.

        Raises:
            EstateError: it is no object.
        """
        return cls({}, place, path[:-1])._inner(path[-1], value, path=())

    def __contains__(self, key: str) -> bool:
        return self._said.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def raw(self, key: str) -> Any:
        """Whatever stands under a key, for what may be of several kinds."""
        return self._said.get(key)

    def text(self, key: str) -> str:
        """A text; empty where there is none."""
        return self._of(key, str, "") if key in self else ""

    def needed(self, key: str, whose: str) -> str:
        """A text that must be there.

        Args:
            whose: what has it, for the error.
        """
        found = self.text(key)
        if not found:
            self.refuse("missing-key", f"{whose} has no `{'.'.join((*self._path, key))}`.")
        return found

    def number_or_text(self, key: str) -> str:
        """An identifier, which some write as a number; empty where there is none."""
        found = self._said.get(key)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        return self.text(key)

    def number(self, key: str) -> int | None:
        """A whole number; `None` where there is none."""
        if key not in self:
            return None
        found = self._of(key, int, 0)
        if isinstance(found, bool):
            self._refuse_kind(key)
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        return self._of(key, bool, default)

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty where there is none."""
        found: list[Any] = self._of(key, list, [])
        if not all(isinstance(one, str) for one in found):
            self._refuse_kind(key)
        return found

    def each(self, key: str) -> list[Fields]:
        """A list of objects; empty where there is none."""
        found: list[Any] = self._of(key, list, [])
        return [self._inner(key, one) for one in found]

    def inside(self, *keys: str) -> Fields:
        """The object under these keys, one in another; an empty one where there is none."""
        found = self
        for key in keys:
            found = found._inner(key, found._of(key, dict, {}))
        return found

    def refuse(self, rule: str, fact: str, remedy: str = _ANEW) -> NoReturn:
        """Refuse the export because of this object."""
        refuse(self.place.file, rule, fact, remedy, self.place.line, self.place.column)

    def _inner(self, key: str, value: Any, path: tuple[str, ...] | None = None) -> Fields:
        if not isinstance(value, dict):
            self._refuse_kind(key)
        return Fields(value, self.place, (*self._path, key) if path is None else path)

    def _of(self, key: str, kind: type[T], default: T) -> T:
        found = self._said.get(key)
        if found is None:
            return default
        if not isinstance(found, kind):
            self._refuse_kind(key)
        return found

    def _refuse_kind(self, key: str) -> NoReturn:
        name = ".".join((*self._path, key))[:80]
        self.refuse("type", f"`{name}` is of another kind than it should be.")
