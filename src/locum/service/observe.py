"""Observe: look at what only the network can tell, outside of any act.

An act decides on values; this makes them: what the path's probe sees now, and whether vault and
target could be used. It runs before an activation and, for open grants, again and again.
"""

from __future__ import annotations

from locum.evidence.probe import observe
from locum.issue.vault import Vault
from locum.model.cause import Cause, Probe, SqlProbe
from locum.model.estate import Database, Estate
from locum.model.path import Path
from locum.model.refusal import Unavailable
from locum.model.request import Open
from locum.model.secret import Secret
from locum.service.wiring import Locum


def observe_path(locum: Locum, path: Path) -> None:
    """Run the path's probe, and keep what it saw for the decisions that follow.

    Raises:
        Unavailable: the probe cannot run for a reason of ours; undecided is not "down".
    """
    if path.probe is None:
        return
    database, secret = _needed(locum.estate.now, path.probe, locum.vault)
    seen = observe(path.probe, locum.clock(), database=database, secret=secret)
    locum.observations[path.name] = seen


def observe_open(locum: Locum) -> None:
    """Run the probes of every path that is open because of an outage."""
    rows = locum.store.look(lambda transaction: transaction.open_grants())
    paths = {
        row.state.ask.path
        for row in rows
        if isinstance(row.state, Open) and row.state.ask.cause is Cause.OUTAGE
    }
    for name in sorted(paths):
        path = locum.estate.now.path(name)
        if path is not None:
            try:
                observe_path(locum, path)
            except Unavailable:
                locum.observations.pop(name, None)


def _needed(
    estate: Estate, probe: Probe, vault: Vault
) -> tuple[Database | None, Secret | None]:
    if not isinstance(probe, SqlProbe):
        return None, None
    database = estate.databases[probe.database]
    return database, vault.read(database.admin_secret)
