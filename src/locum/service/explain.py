"""Explain an identity of the estate in force, with what the record knows of its paths."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from locum.estate.analysis.explained import Explanation
from locum.estate.analysis.explained import explain as explain_on
from locum.estate.declared import inventory_of
from locum.estate.graph.chart import chart
from locum.estate.graph.ways import minutes
from locum.estate.inventory import NEVER, Inventory, Role, Seen, Way
from locum.model.names import IdentityName, PathName
from locum.model.refusal import MalformedInput, NotFound
from locum.model.request import Open, Reviewed, grant_of
from locum.service.record import past_of
from locum.service.wiring import Locum
from locum.store.port import Transaction

MOST_CHANGES = 16


def explain_identity(
    locum: Locum, transaction: Transaction, identity: str, without: Sequence[str],
    added: Sequence[str],
) -> Explanation:  # fmt: skip
    """Explain how an identity can be entered, what it falls to, and what locks it out.

    Args:
        without: names of roots or paths that are thought away.
        added: methods that are thought to be a further way in.

    Raises:
        NotFound: the estate in force has no such identity.
        MalformedInput: there is no such root, path or method, or too many are named.
    """
    loaded, now = locum.estate.loaded, locum.clock()
    holder = loaded.estate.identities.get(IdentityName(identity))
    if holder is None:
        raise NotFound("There is no such identity.", "List the estate's paths: GET /v1/paths.")
    if len(without) + len(added) > MOST_CHANGES:
        raise MalformedInput(
            f"More than {MOST_CHANGES} changes are asked for.", "Ask for fewer at once."
        )
    said = inventory_of(loaded.estate, loaded.document)
    paths = {str(one.name): one.name for one in holder.paths.values()}
    ways = tuple(
        _as_recorded(transaction, one, paths[one.name], now)
        if one.identity == identity and one.role is Role.DECLARED
        else one
        for one in said.ways
    )
    drawn = chart(Inventory(said.holders, ways, said.roots))
    return explain_on(drawn, identity, minutes(now), without, added)


def _as_recorded(transaction: Transaction, way: Way, name: PathName, now: datetime) -> Way:
    """A declared path with its last use, review and drill; the record knows more than the file."""
    past = past_of(transaction, name, now)
    rows = transaction.requests(grants_only=True, path=name, limit=1).rows
    if not rows:
        return msgspec.structs.replace(
            way,
            last_used=way.last_used or NEVER,
            last_drilled=way.last_drilled or NEVER,
        )
    last = rows[0].state
    grant = grant_of(last)
    reviewed: Seen
    if past.due:
        reviewed = NEVER
    elif isinstance(last, Reviewed):
        reviewed = last.review.at
    else:
        reviewed = way.last_reviewed if isinstance(last, Open) else None
    return msgspec.structs.replace(
        way,
        last_used=way.last_used if grant is None else grant.opened_at,
        last_drilled=past.drilled_at or way.last_drilled or NEVER,
        last_reviewed=reviewed,
    )
