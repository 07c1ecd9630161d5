"""Lists of objects, as answers of other systems hold them."""

from __future__ import annotations

from collections.abc import Iterator

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.json_stream import Path, elements, members
from locum.estate.importing.refusing import refuse


def records(
    export: Export, what: str, *paths: Path, optional: tuple[Path, ...] = ()
) -> Iterator[tuple[Path, Fields]]:
    """The objects in lists of a document, as `elements`.

    Raises:
        EstateError: the document is of another kind, or an element is.
    """
    for path, place, one in elements(export, what, *paths, optional=optional):
        yield path, Fields.of(one, place, path)


def entries(export: Export, what: str) -> Iterator[Fields]:
    """The objects of an export that is one list, or the lists of its pages in one.

    Args:
        what: what the export should be, for the error.

    Yields:
        The object, whose place is where it, or its page, begins.

    Raises:
        EstateError: the document is of another kind.
    """
    for _, place, element in elements(export, what, ()):
        for one in element if isinstance(element, list) else (element,):
            if not isinstance(one, dict):
                refuse(
                    place.file, "type", f"This is no object; {what}.", "Name the right export.",
                    place.line, place.column,
                )  # fmt: skip
            yield Fields(one, place)


def by_key(export: Export, what: str) -> Iterator[tuple[str, list[Fields]]]:
    """The objects that stand in a list under each key; Microsoft Graph's in its `value`.

    Args:
        what: what the export should be, for the error.

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
