"""Observe: look at what only the network can tell, outside of any act.

An act decides on values; this makes them: what the path's probe sees now. It runs before an
activation and, for open grants, again and again.
"""

from __future__ import annotations

from datetime import timedelta

from locum.evidence.probe import observe
from locum.model.path import Path
from locum.model.refusal import LocumError
from locum.service.wiring import Locum

RECENT = timedelta(seconds=2)
"""What was seen so recently is not looked at again, however many ask."""


def observe_path(locum: Locum, path: Path) -> None:
    """Run the path's probe unless it just ran, and keep what it saw for decisions.

    Raises:
        Unavailable, MalformedInput: the probe cannot run; undecided is not "down".
    """
    if path.probe is None:
        return
    if seen_recently(locum, path):
        return
    with locum.looking:
        if seen_recently(locum, path):
            return
        try:
            seen = observe(path.probe, locum.clock(), locum.estate.now.databases, locum.vault.read)
        except LocumError:
            locum.observations.pop(path.name, None)
            raise
        locum.observations[path.name] = seen


def seen_recently(locum: Locum, path: Path) -> bool:
    """Tell whether the path needs no look at its primary: it has no probe, or it just ran."""
    if path.probe is None:
        return True
    last = locum.observations.get(path.name)
    return last is not None and timedelta(0) <= locum.clock() - last.at <= RECENT
