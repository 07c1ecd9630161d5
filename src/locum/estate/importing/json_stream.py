"""JSON read an element at a time, each with its place, however large the file is.

The lists that an importer asks for are walked; what stands beside them is read over. An element, or
a value that is read over, is at most 64 MiB of text.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NoReturn

from locum.estate.importing.export import Export
from locum.estate.importing.json_text import (
    NotJsonError,
    TwiceError,
    has_half_a_character,
    no_constant,
    once,
)
from locum.estate.importing.refusing import refuse
from locum.estate.problem import Position

LARGEST_ELEMENT = 64 * 1024 * 1024
"""Characters of one element."""
BLOCK = 1 << 20
"""Bytes that are read at once."""
_LONGEST_NUMBER = 1 << 10
_SPACE = " \t\n\r"
_ANEW = "Export it anew; it may have been cut off."
_MORE = frozenset({"IsTruncated", "Marker", "NextToken", "@odata.nextLink", "nextPageToken"})
"""What stands beside a list that is not whole, in answers that come in pages."""
Path = tuple[str, ...]
Element = tuple[Path, Position, Any]


def elements(
    export: Export,
    what: str,
    *paths: Path,
    optional: tuple[Path, ...] = (),
    beside: tuple[str, ...] = (),
) -> Iterator[Element]:
    """The elements of lists in a document, in the order of the file.

    Args:
        what: what the document should be, for the error.
        paths: the keys under which each list stands; an empty one for a document that is a list.
        optional: lists that a document may lack.
        beside: keys of the document whose values are wanted as they are.

    Yields:
        The path of the list, the element's place and its value; so for what stands beside.

    Raises:
        EstateError: the document is truncated, no JSON or no UTF-8, holds a key twice, is one page
            of several, or has no such list. It is raised where reading gets there, so nothing
            counts until the end.
        OSError: it cannot be read.
    """
    with export.opened() as stream:
        text = _Text(stream, export.file)
        found: set[Path] = set()
        wanted = frozenset((*paths, *optional))
        yield from _walk(text, (), wanted, frozenset(beside), what, found)
        text.end()
    for path in paths:
        if path not in found:
            text.refuse_shape(_no_list(path), what)


def members(export: Export, what: str) -> Iterator[tuple[str, Position, Any]]:
    """The members of a document that is an object: key, place and value of each.

    Args:
        what: what the document should be, for the error.

    Raises:
        EstateError: as for `elements`.
        OSError: it cannot be read.
    """
    with export.opened() as stream:
        text = _Text(stream, export.file)
        if text.peek() != "{":
            text.refuse_shape("This is no object", what)
        for key in _keys(text):
            yield key, text.place(), text.value()
        text.end()


def _walk(
    text: _Text, path: Path, wanted: frozenset[Path], beside: frozenset[str], what: str,
    found: set[Path],
) -> Iterator[Element]:  # fmt: skip
    """Go through the value that begins here, down to the lists that are wanted."""
    first = text.peek()
    if path in wanted:
        if first != "[":
            text.refuse_shape(_no_list(path), what)
        found.add(path)
        for _ in _parts(text, "[", "]"):
            yield path, text.place(), text.value()
    elif first == "{" and any(one[: len(path)] == path for one in wanted):
        for key in _keys(text):
            if not path and key in _MORE:
                place = text.place()
                if text.value():
                    _refuse_a_page(place, key)
            elif not path and key in beside:
                yield (key,), text.place(), text.value()
            else:
                yield from _walk(text, (*path, key), wanted, beside, what, found)
    else:
        _read_over(text)


def _refuse_a_page(place: Position, key: str) -> NoReturn:
    refuse(
        place.file, "missing-key", f"This is one page of several: `{key}` says that more follows.",
        "Ask for all pages, and put their lists together.", place.line, place.column,
    )  # fmt: skip


def _no_list(path: Path) -> str:
    return f"`{'.'.join(path)}` is no list here" if path else "This is no list"


def _read_over(text: _Text) -> None:
    first = text.peek()
    if first == "[":
        for _ in _parts(text, "[", "]"):
            text.value()
    elif first == "{":
        for _ in _keys(text):
            text.value()
    else:
        text.value()


def _keys(text: _Text) -> Iterator[str]:
    """The keys of an object; the reading stops before each value."""
    keys: set[str] = set()
    for _ in _parts(text, "{", "}"):
        key = text.key()
        if key in keys:
            text.refuse("duplicate-key", f"`{key[:40]}` stands twice in one object.")
        keys.add(key)
        yield key


def _parts(text: _Text, begin: str, end: str) -> Iterator[None]:
    """Stop before each part of a list or an object."""
    text.take(begin)
    if text.peek() == end:
        text.take(end)
        return
    while True:
        yield
        if text.peek() == end:
            text.take(end)
            return
        text.take(",")


class _Text:
    """A document's text from where the reading is, a block at a time."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream, self._file = stream, file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._decode: Callable[[str, int], tuple[Any, int]]
        self._decode = json.JSONDecoder(
            object_pairs_hook=once, parse_constant=no_constant
        ).raw_decode
        self._text, self._at, self._ended = "", 0, False
        self._line, self._counted, self._line_start = 1, 0, 0

    def place(self) -> Position:
        """Where the next value begins."""
        self.peek()
        self._count_lines()
        return Position(self._file, self._line, self._at - self._line_start + 1)

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, character: str) -> None:
        """Go past this character."""
        there = self.peek()
        if there != character:
            ends = "" if there else ", and the export ends"
            self.refuse("yaml", f"This is not JSON: `{character}` should stand here{ends}.")
        self._at += 1

    def key(self) -> str:
        """The key that begins here, past its colon."""
        if self.peek() != '"':
            self.refuse("yaml", "This is not JSON: a key in quotes should stand here.")
        found = str(self.value())
        self.take(":")
        return found

    def value(self) -> Any:
        """The whole value that begins here."""
        self.peek()
        while True:
            try:
                found, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    self._at = min(error.pos, len(self._text))
                    self.refuse("yaml", f"This is not JSON: {error.msg}.")
            except TwiceError as error:
                self.refuse("duplicate-key", f"`{error}` stands twice in one object.")
            except NotJsonError as error:
                self.refuse("yaml", f"This is not JSON: {error}.")
            except ValueError:
                self.refuse("bounds", "A number has too many digits.")
            except RecursionError:
                self.refuse("bounds", "This is nested too deep.")
            else:
                # A number may go on in the next block.
                whole = self._text[end - 1] in '}]"' or len(self._text) - end > _LONGEST_NUMBER
                if whole or not self._more():
                    if has_half_a_character(self._text, found, self._at, end):
                        self.refuse("encoding", "A text here holds half a character.")
                    self._at = end
                    return found

    def end(self) -> None:
        """Nothing but space may follow."""
        if self.peek():
            self.refuse("yaml", "This is not JSON: the document has ended before this.")

    def refuse_shape(self, is_not: str, what: str) -> NoReturn:
        """Refuse a document of another shape."""
        at, rule = self.place(), "missing-key" if "`" in is_not else "type"
        refuse(self._file, rule, f"{is_not}; {what}.", "Name the right export.", at.line, at.column)

    def refuse(self, rule: str, fact: str) -> NoReturn:
        """Refuse what stands here."""
        at = self.place()
        refuse(self._file, rule, fact, _ANEW, at.line, at.column)

    def _more(self) -> bool:
        """Read on, and forget what is behind; false at the end."""
        if self._ended:
            return False
        if len(self._text) - self._at > LARGEST_ELEMENT:
            self.refuse("bounds", "What begins here is larger than 64 MiB, or does not end.")
        block = self._stream.read(max(BLOCK, len(self._text) - self._at))
        self._ended = not block
        try:
            read = self._decoder.decode(block, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._line + self._text.count("\n", self._counted)
            line += error.object[: error.start].count(b"\n")
            refuse(self._file, "encoding", "The export is not UTF-8.", "Save it as UTF-8.", line)
        if not self._ended:
            self._forget()
            self._text += read
        return not self._ended

    def _forget(self) -> None:
        """Drop the text that is behind."""
        self._count_lines()
        self._text = self._text[self._at :]
        self._line_start -= self._at
        self._counted = self._at = 0

    def _count_lines(self) -> None:
        newlines = self._text.count("\n", self._counted, self._at)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rindex("\n", self._counted, self._at) + 1
        self._counted = self._at
