"""YAML with positions, and nothing that YAML can do to surprise: no anchors, tags or merges.

Aliases are refused wholly, so none can explode. Size, depth and the number of nodes are bounded.
Plain scalars are read by the core schema of YAML 1.2: `yes` is a text, `2027-06-30` is a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec
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

from locum.estate.problem import EstateError, Position, Problem

LARGEST = 16 * 1024 * 1024
DEEPEST = 32
MOST_NODES = 2_000_000
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
Field = tuple[str | int, ...]


class Document(msgspec.Struct):
    """A parsed file: its value, and the position of every key and item by its place."""

    value: Any
    positions: dict[Field, Position]


def read_document(text: bytes, file: str) -> Document:
    """Read one YAML document.

    Raises:
        EstateError: with the position of what cannot be read.
    """
    return _Reader(text, file).read()


class _Reader:
    def __init__(self, data: bytes, file: str) -> None:
        self._file, self._nodes = file, 0
        self._at = Position(file, 1, 1)
        self._positions: dict[Field, Position] = {(): self._at}
        if len(data) > LARGEST:
            self._refuse("file-size", f"The file has {len(data)} bytes.", "Split it: 16 MiB each.")
        try:
            self._text = data.decode()
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            self._at = Position(file, line, 1)
            self._refuse("encoding", "The file is not UTF-8.", "Save it as UTF-8.")

    def read(self) -> Document:
        try:
            events = iter(YAML(typ="safe", pure=True).parse(self._text))
            value, documents = None, 0
            for event in events:
                self._mark(event)
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._refuse("documents", "A second document begins.", "Use one a file.")
                    value = self._node(next(events), events, ())
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark is not None:
                self._at = Position(self._file, mark.line + 1, mark.column + 1)
            self._refuse("yaml", f"This is not YAML: {error.problem}.", "Mend the line.")
        except (YAMLError, RecursionError, ValueError) as error:
            self._refuse("yaml", f"This is not YAML ({type(error).__name__}).", "Mend the file.")
        if documents == 0:
            self._refuse("empty", "The file is empty.", "Begin with `version: 1`.")
        return Document(value, self._positions)

    def _node(self, event: Any, events: Iterator[Any], place: Field) -> Any:
        self._mark(event)
        self._nodes += 1
        if self._nodes > MOST_NODES or len(place) > DEEPEST:
            self._refuse("bounds", "The file is too deep or has too many nodes.", "Split it.")
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None) is not None:
            self._refuse("anchor", "Anchors and aliases are refused.", "Write it out.")
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) not in ("!", "None"):
            self._refuse("tag", f"The tag {tag} is refused.", "Leave it out.")
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, place)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, place)
        return self._scalar(event)

    def _mapping(self, events: Iterator[Any], place: Field) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            self._mark(event)
            if not isinstance(event, ScalarEvent):
                self._refuse("key", "A key must be a text.", "Write `name: value`.")
            key = str(event.value)
            here = self._at
            if key in found:
                first = self._positions[(*place, key)]
                self._refuse(
                    "duplicate-key",
                    f"`{key}` stands here a second time; first in line {first.line}.",
                    "Remove one of the two.",
                )
            found[key] = None
            self._positions[(*place, key)] = here
            found[key] = self._node(next(events), events, (*place, key))
        return found

    def _sequence(self, events: Iterator[Any], place: Field) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            self._mark(event)
            here = (*place, len(found))
            self._positions[here] = self._at
            found.append(self._node(event, events, here))
        return found

    def _scalar(self, event: Any) -> Any:
        text = str(event.value)
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
        return text

    def _mark(self, event: Any) -> None:
        mark = getattr(event, "start_mark", None)
        if mark is not None:
            self._at = Position(self._file, mark.line + 1, mark.column + 1)

    def _refuse(self, rule: str, fact: str, remedy: str) -> NoReturn:
        raise EstateError((Problem(self._at, rule, "", "", fact, remedy),)) from None
