"""YAML with positions, and nothing that YAML can do to surprise.

One document a file, in UTF-8, without directives, tags, anchors, aliases and merges: an alias is
refused wholly, so none can explode. Size, depth and the number of nodes are bounded. A plain scalar
is what the core schema of YAML 1.2 says it is (`yes` and `2027-06-30` are texts); a number that
could be taken in two ways (`010`, `0x1F`, `.inf`) is refused. Control characters, and characters
that turn the direction of a text round, are refused in keys, in values and in comments, because
what a person reviews must be what is read. Source: YAML 1.2.2 §10.3; CVE-2021-42574.
"""

from __future__ import annotations

import math
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
from ruamel.yaml.reader import ReaderError

from locum.estate.problem import EstateError, Position, Problem

LARGEST = 16 * 1024 * 1024
DEEPEST = 64
MOST_NODES = 200_000
_TURNING = "\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
_HIDDEN_IN_FILE = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_TURNING}]")
_HIDDEN_IN_TEXT = re.compile(rf"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff{_TURNING}]")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(
    r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17}([eE][-+]?[0-9]{1,3})?|[eE]-?[0-9]{1,3})"
)
_ANY_NUMBER = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
Field = tuple[str | int, ...]


class Document(msgspec.Struct):
    """A parsed file: its value, and the position of every key and item by its place."""

    value: Any
    positions: dict[Field, Position]


def read_document(data: bytes, file: str) -> Document:
    """Read one YAML document.

    Raises:
        EstateError: with the position of what cannot be read.
    """
    return _Reader(data, file).read()


class _Reader:
    """Builds a value out of parser events, and keeps where it is so that a refusal can say so."""

    def __init__(self, data: bytes, file: str) -> None:
        self._file, self._nodes = file, 0
        self._at = Position(file, 1, 1)
        self._positions: dict[Field, Position] = {(): self._at}
        self._text = self._decoded(data)

    def read(self) -> Document:
        try:
            value = self._document(iter(YAML(typ="safe", pure=True).parse(self._text)))
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark is not None:
                self._at = Position(self._file, mark.line + 1, mark.column + 1)
            self._refuse("yaml", *_syntax_words(str(error.problem or error.context)))
        except ReaderError as error:
            self._hidden(int(error.position))
        except (YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
            # The parser's own slips on broken input; whatever they are, the file is not used.
            self._refuse("yaml", *_syntax_words(type(error).__name__))
        if value is None:
            self._at = Position(self._file, 1, 1)
            self._refuse("empty", "The file declares nothing.", "Begin with `version: 1`.")
        return Document(value, self._positions)

    def _decoded(self, data: bytes) -> str:
        if len(data) > LARGEST:
            self._refuse(
                "file-size",
                "The file is larger than 16 MiB.",
                "Split it: a folder of files is read together.",
            )
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._locate(data[: error.start].decode(errors="replace"))
            self._refuse("encoding", "The file is not UTF-8.", "Save it as UTF-8.")
        found = _HIDDEN_IN_FILE.search(text)
        if found is not None:
            self._text = text
            self._hidden(found.start())
        return text

    def _document(self, events: Iterator[Any]) -> Any:
        value, documents = None, 0
        for event in events:
            if not isinstance(event, DocumentStartEvent):
                continue
            self._mark(event)
            documents += 1
            if documents > 1:
                self._refuse(
                    "documents", "A second document begins here.", "Use one document a file."
                )
            if event.version is not None or event.tags:
                self._refuse(
                    "directive", "The document has a directive.", "Remove the lines with `%`."
                )
            value = self._node(next(events), events, ())
        return value

    def _node(self, event: Any, events: Iterator[Any], place: Field) -> Any:
        self._mark(event)
        self._plain_and_bounded(event, place)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, place)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, place)
        return self._scalar(event)

    def _plain_and_bounded(self, event: Any, place: Field) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._refuse(
                "bounds",
                f"The file has more than {MOST_NODES} values.",
                "Split it: a folder of files is read together.",
            )
        if len(place) > DEEPEST:
            self._refuse("bounds", f"The file is nested deeper than {DEEPEST}.", "Make it flatter.")
        if isinstance(event, AliasEvent) or event.anchor is not None:
            self._refuse("anchor", "Anchors and aliases are refused.", "Write the value out.")
        if event.tag is not None:
            self._refuse("tag", "Tags are refused.", "Remove the word that begins with `!`.")

    def _mapping(self, events: Iterator[Any], place: Field) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            self._mark(event)
            self._plain_and_bounded(event, place)
            if not isinstance(event, ScalarEvent):
                self._refuse("key", "A key must be a text.", "Write `name: value`.")
            key = self._shown(str(event.value))
            if key in found:
                self._refuse(
                    "duplicate-key",
                    f"`{key}` stands here a second time.",
                    "Remove one of the two.",
                    self._positions[(*place, key)],
                )
            self._positions[(*place, key)] = self._at
            found[key] = None
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
        text = self._shown(str(event.value))
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FRACTION.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        if _ANY_NUMBER.fullmatch(text):
            self._refuse(
                "number",
                f"{text[:30]} can be read as a number in more than one way.",
                "Write it in plain decimals, or in quotes where it is a text.",
            )
        return text

    def _shown(self, text: str) -> str:
        """Refuse what a person would not see."""
        found = _HIDDEN_IN_TEXT.search(text)
        if found is not None:
            self._refuse("character", *_character_words(found.group()))
        return text

    def _hidden(self, offset: int) -> NoReturn:
        self._locate(self._text[:offset])
        self._refuse("character", *_character_words(self._text[offset : offset + 1]))

    def _locate(self, before: str) -> None:
        lines = re.split(r"\r\n|\r|\n", before)
        self._at = Position(self._file, len(lines), len(lines[-1]) + 1)

    def _mark(self, event: Any) -> None:
        self._at = Position(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(
        self, rule: str, fact: str, remedy: str, related: Position | None = None
    ) -> NoReturn:
        problem = Problem(self._at, rule, "", "", fact, remedy, related=related)
        raise EstateError((problem,)) from None


def _character_words(character: str) -> tuple[str, str]:
    named = f"U+{ord(character):04X}" if character else "that is not allowed"
    return (
        f"A character stands here that nobody sees: {named}.",
        "Remove it; a tab becomes spaces.",
    )


def _syntax_words(problem: str) -> tuple[str, str]:
    if "'\\t'" in problem:
        return "A tab stands where YAML wants spaces.", "Indent with spaces."
    words = problem.replace("\n", " ")
    return (
        f"This is not YAML: {words}.",
        "Mend this line or the one before it; a text with `: ` or `#` in it goes in quotes.",
    )
