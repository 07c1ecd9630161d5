"""YAML documents, each value with its line, and nothing that YAML can do to surprise.

Anchors, aliases, merges, tags and directives are refused, as in an estate: what another program
exports has none, and a few lines of them can stand for more than fits into memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from locum.estate.importing.refusing import refuse
from locum.estate.problem import Position

_DEEPEST = 64
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_SLIPS = (YAMLError, RecursionError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What the parser may raise of broken input, its own slips with it."""
_ANEW = "Export it anew."
Located = tuple[Any, Position]


def documents(text: str, file: str) -> Iterator[tuple[Any, list[Located]]]:
    """The documents of a file.

    Yields:
        The value of each, and the same with its place, or, where it has a list of `items`, these.

    Raises:
        EstateError: it is no YAML, or does what is refused here.
    """
    return _Reader(text, file).read()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._at = Position(file, 1, 1)
        self._events = iter(YAML(typ="safe", pure=True).parse(text))
        self._items: list[Position] = []

    def read(self) -> Iterator[tuple[Any, list[Located]]]:
        while True:
            event = self._next()
            if event is None:
                return
            if not isinstance(event, DocumentStartEvent):
                continue
            if event.version is not None or event.tags:
                self._refuse("directive", "The document has a directive.")
            self._items = []
            first = self._next()
            place = self._at
            value = self._node(first, 0)
            items = value.get("items") if isinstance(value, dict) else None
            if isinstance(items, list):
                yield value, [*zip(items, self._items, strict=True)]
            elif value is not None:
                yield value, [(value, place)]

    def _next(self) -> Any:
        try:
            event = next(self._events, None)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark is not None:
                self._at = Position(self._file, mark.line + 1, mark.column + 1)
            self._refuse("yaml", f"This is not YAML: {error.problem or error.context}.")
        except _SLIPS as error:
            self._refuse("yaml", f"This is not YAML: {type(error).__name__}.")
        if event is not None:
            mark = event.start_mark
            self._at = Position(self._file, mark.line + 1, mark.column + 1)
        return event

    def _node(self, event: Any, depth: int, *, of_items: bool = False) -> Any:
        if depth > _DEEPEST:
            self._refuse("bounds", f"The export is nested deeper than {_DEEPEST}.")
        if isinstance(event, AliasEvent) or event.anchor is not None:
            self._refuse("anchor", "Anchors and aliases are refused.")
        if event.tag is not None:
            self._refuse("tag", "Tags are refused.")
        if isinstance(event, MappingStartEvent):
            return self._mapping(depth)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(depth, of_items)
        text = str(event.value)
        if event.style is not None:
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        return _WORDS.get(text, text)

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            if not isinstance(event, ScalarEvent) or event.anchor is not None:
                self._refuse("key", "A key must be a text.")
            key = str(event.value)
            if key in found:
                self._refuse("duplicate-key", f"`{key[:40]}` stands twice in one object.")
            of_items = depth == 0 and key == "items"
            found[key] = self._node(self._next(), depth + 1, of_items=of_items)
        return found

    def _sequence(self, depth: int, of_items: bool) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            if of_items:
                self._items.append(self._at)
            found.append(self._node(event, depth + 1))
        return found

    def _refuse(self, rule: str, fact: str) -> NoReturn:
        refuse(self._file, rule, fact, _ANEW, self._at.line, self._at.column)
