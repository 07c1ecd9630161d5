"""The objects of Kubernetes manifests, in YAML or JSON, by themselves or in lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from locum.estate.importing.export import Export
from locum.estate.importing.fields import Fields
from locum.estate.importing.json_stream import elements
from locum.estate.importing.json_text import read_json
from locum.estate.importing.refusing import decoded, refuse
from locum.estate.importing.yaml_stream import documents
from locum.estate.problem import Position

_MOST = 200_000
_WHAT = "it should hold objects of Kubernetes"
_ITEMS = ("items",)


def read_objects(export: Export) -> Iterator[Fields]:
    """Each object with its place.

    Raises:
        EstateError: it is no manifest, or one page of a list.
    """
    for count, one in enumerate(_each(export), 1):
        if count > _MOST:
            refuse(export.file, "bounds", f"There are more than {_MOST} objects.", "Split it.")
        if "kind" not in one:
            one.refuse(
                "missing-key", "A document has no `kind`, so it is no manifest.",
                "E.g. kubectl get serviceaccounts,secrets -A -o yaml.",
            )  # fmt: skip
        if one.text("kind").endswith("List"):
            one.refuse("missing-key", "A list has no `items`, or what is there is no list.")
        yield one


def _each(export: Export) -> Iterator[Fields]:
    if not decoded(export.whole(), export.file).strip():
        refuse(export.file, "empty", "The export is empty.", "E.g. kubectl get … -o yaml.")
    with export.opened() as stream:
        is_json = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    if is_json:
        yield from _of_json(export)
        return
    for document, parts in documents(decoded(export.whole(), export.file), export.file):
        if len(parts) != 1 or parts[0][0] is not document:
            _refuse_a_page(document.get("metadata"), Position(export.file, 1, 1))
        for value, place in parts:
            yield Fields.of(value, place, _ITEMS)


def _of_json(export: Export) -> Iterator[Fields]:
    in_list = False
    for path, place, value in elements(export, _WHAT, optional=(_ITEMS,), beside=("metadata",)):
        if path == _ITEMS:
            in_list = True
            yield Fields.of(value, place, _ITEMS)
        else:
            _refuse_a_page(value, place)
    if not in_list:
        whole = Fields.of(
            read_json(export.whole(), export.file), Position(export.file, 1, 1), ("",)
        )
        if "items" not in whole:
            yield whole


def _refuse_a_page(metadata: Any, place: Position) -> None:
    if isinstance(metadata, dict) and metadata.get("continue"):
        refuse(
            place.file, "missing-key", "This is one page of several.",
            "Ask for all of them, as kubectl does.", place.line, place.column,
        )  # fmt: skip
