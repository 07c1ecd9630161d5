"""Store a chart of inventories that come one after another and do not fit into memory together."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from locum.estate.graph.chart import chart
from locum.estate.graph.joining import join
from locum.estate.graph.sharing import Part
from locum.estate.graph.solving import Progress
from locum.estate.graph.storing import write_chart
from locum.estate.inventory import Inventory


def store(inventories: Iterable[Inventory], folder: Path, progress: Progress) -> None:
    """Store the chart of all inventories; an older one in the folder is replaced.

    Args:
        inventories: no identity stands in two.
        progress: is told, from 0 to 1, how much is joined; the inventories tell their reader.

    Raises:
        EstateError: an export is malformed, or an identity stands in two inventories.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix="parts-") as drafts, _no_search_for_cycles():
        parts: list[Part] = []
        for at, inventory in enumerate(inventories):
            parts.append(Part(Path(drafts) / str(at)))
            write_chart(chart(inventory), parts[-1].folder)
        join(parts, folder, progress)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Inventories and drawings hold no cycles, and half of the time went into looking for some."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
