"""Observe: look at what only the network can tell, outside of any act.

An act decides on values; this makes them: what the path's probe sees now. It runs before an
activation and, for open grants, again and again.
"""

from __future__ import annotations

from datetime import timedelta

from locum.evidence.probe import observe
from locum.model.cause import Cause
from locum.model.path import Path
from locum.model.refusal import LocumError
from locum.model.request import Open
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
    last = locum.observations.get(path.name)
    if last is not None and timedelta(0) <= locum.clock() - last.at <= RECENT:
        return
    locum.observations.pop(path.name, None)
    databases = locum.estate.now.databases
    seen = observe(path.probe, locum.clock(), databases, locum.vault.read)
    locum.observations[path.name] = seen


def observe_open(locum: Locum) -> None:
    """Run the probes of every path that is open because of an outage."""
    rows = locum.store.look(lambda transaction: transaction.open_grants())
    names = {
        row.state.ask.path
        for row in rows
        if isinstance(row.state, Open) and row.state.ask.cause is Cause.OUTAGE
    }
    for name in sorted(names):
        path = locum.estate.now.path(name)
        if path is not None:
            try:
                observe_path(locum, path)
            except LocumError:
                locum.observations.pop(name, None)
