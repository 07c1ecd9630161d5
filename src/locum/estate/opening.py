"""Open an estate as a chart, however it is kept: as YAML files, or as a stored graph."""

from __future__ import annotations

from pathlib import Path

from locum.estate.declared import inventory_of
from locum.estate.graph.chart import Chart, chart
from locum.estate.graph.reading import is_stored, read_chart
from locum.estate.loading import load


def charted(source: Path) -> Chart:
    """The chart of an estate.

    Args:
        source: a YAML file, a folder of them, or the folder of a stored graph.

    Raises:
        EstateError: it cannot be read; nothing of it is used.
        MalformedInput: a stored graph is damaged.
    """
    if is_stored(source):
        return read_chart(source)
    loaded = load(source)
    return chart(inventory_of(loaded.estate, loaded.document))
