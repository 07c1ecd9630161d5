"""Lists of objects, as answers of other systems hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.json_stream import Path, elements, members
from locum.estate.importing.refusing import refuse
from locum.estate.problem import Position


def objects(
    export: Export, what: str, *paths: Path, optional: tuple[Path, ...] = ()
) -> Iterator[tuple[Path, Position, dict[str, Any]]]:
    """The elements of lists, as `elements`, where each is an object.

    Raises:
        EstateError: the document is of another kind, or an element is.
    """
    for path, place, one in elements(export, what, *paths, optional=optional):
        if not isinstance(one, dict):
            _refuse(place, what)
        yield path, place, one


def items(export: Export, what: str) -> Iterator[tuple[Position, dict[str, Any]]]:
    """The objects of an export that is one list, or the lists of its pages in one.

    Args:
        what: what the export should be, for the error.

    Yields:
        Where the object, or its page, begins; and the object.

    Raises:
        EstateError: the document is of another kind.
    """
    for _, place, element in elements(export, what, ()):
        for one in element if isinstance(element, list) else (element,):
            if not isinstance(one, dict):
                _refuse(place, what)
            yield place, one


def _refuse(place: Position, what: str) -> None:
    refuse(
        place.file, "type", f"This is no object; {what}.", "Name the right export.",
        place.line, place.column,
    )  # fmt: skip


def records(
    export: Export, what: str, *paths: Path, optional: tuple[Path, ...] = ()
) -> Iterator[tuple[Path, Fields]]:
    """The objects in lists of a document, as `elements`.

    Raises:
        EstateError: the document is of another kind, or an element is.
    """
    for path, place, one in objects(export, what, *paths, optional=optional):
        yield path, Fields(one, place)


def entries(export: Export, what: str) -> Iterator[Fields]:
    """The objects of an export that is one list, or the lists of its pages in one.

    Raises:
        EstateError: the document is of another kind.
    """
    for place, one in items(export, what):
        yield Fields(one, place)


def by_key(export: Export, what: str) -> Iterator[tuple[str, list[Fields]]]:
    """The objects that stand in a list under each key; Microsoft Graph's in its `value`.

    Raises:
        EstateError: the document is of another kind, or one of several pages stands in it.
    """
    for key, place, said in members(export, what):
        if isinstance(said, dict) and said.get("@odata.nextLink"):
            refuse(
                place.file, "missing-key", "This is one page of several.",
                "Ask for all pages, and put their lists together.", place.line, place.column,
            )  # fmt: skip
        of = said.get("value") if isinstance(said, dict) else said
        if not isinstance(of, list) or not all(isinstance(one, dict) for one in of):
            refuse(
                place.file, "type", f"This is no list of objects; {what}.",
                'E.g. {"00u1": [{"factorType": "push"}]}.', place.line, place.column,
            )  # fmt: skip
        yield key, [Fields(one, place) for one in of]
