"""Explain one identity: how weak it is, what it falls to, what it is lost with; and what if.

Everything is asked of the part of the graph that the identity rests on, so the answer takes
milliseconds whatever the size of the estate.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from locum.estate.analysis.assess import Assessment, assess_at
from locum.estate.analysis.chains import weak_chain
from locum.estate.analysis.draft import Draft
from locum.estate.analysis.local import Local, behind
from locum.estate.analysis.told import in_order, tell
from locum.estate.analysis.words import take_words
from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Kind, onward
from locum.estate.graph.lattice import is_no_way, missing_bits
from locum.estate.graph.solving import in_the_world, spread
from locum.estate.inventory import Role
from locum.estate.problem import Problem
from locum.model.methods import CATALOGUE
from locum.model.refusal import MalformedInput
from locum.model.strength import Proofing

_TOGETHER = 64
_SECOND_KEY = "second-key"


class Standing(msgspec.Struct, frozen=True):
    """How one identity stands.

    Args:
        weakest: a `lattice` word.
        weaker_than_primary: components in which its weakest way is below its own primary's label,
            each with the chain that shows it.
        alone: what it falls to, each alone.
        pairs: what it falls to, two together and neither alone; only where asked for.
        lost_with: the single losses after which no way in is left; `None` where none is now.
        lost_with_more: they are too many to tell, and `lost_with` is empty.
        ways: its ways in with what each is worth.
        findings: what is wrong about it.
    """

    weakest: int
    weaker_than_primary: tuple[tuple[str, tuple[str, ...]], ...]
    alone: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    lost_with: tuple[str, ...] | None
    lost_with_more: bool
    ways: tuple[tuple[str, int], ...]
    findings: tuple[Problem, ...]


class Explanation(msgspec.Struct, frozen=True):
    """How one identity stands, and how it would.

    Args:
        vertices: how many vertices were looked at.
        after: `None` where nothing was changed.
    """

    identity: str
    vertices: int
    before: Standing
    after: Standing | None


def explain(
    chart: Chart,
    identity: str,
    now: int,
    without: Sequence[str] = (),
    added: Sequence[str] = (),
    pairs: bool = False,
) -> Explanation:
    """Explain an identity, and what would become of it.

    Args:
        now: minutes since 1970.
        without: names of things or ways that are thought away.
        added: methods, each thought to be a further declared path, which opens through Locum;
            `second-key` is a device-bound passkey.

    Raises:
        MalformedInput: there is no such identity, thing or method.
    """
    vertex = _vertex(chart, identity)
    local = behind(chart, [vertex])
    here = local.vertex(vertex)
    assessed = assess_at(local.chart, now)
    before = _standing(assessed, here, pairs, set())
    after = None
    if without or added:
        draft, gone = Draft(local.chart), set[int]()
        for name in without:
            gone |= _take_away(draft, assessed, _place(chart, local, name))
        for name in added:
            method = "passkey-device-bound" if name == _SECOND_KEY else name
            if method not in CATALOGUE:
                raise MalformedInput(
                    f"`{name}` is no method.",
                    "Name one of the catalogue (docs/estate.md), or second-key.",
                )
            draft.add_path(here, f"{identity}/{name}", (method,), Proofing.IAL3)
        after = _standing(assess_at(draft.chart(), now), here, pairs, gone)
    return Explanation(identity, len(local.vertices), before, after)


def _vertex(chart: Chart, name: str) -> int:
    found = chart.vertex_of(name)
    if found is not None:
        return found
    raise MalformedInput(
        f"`{name}` is nothing of this estate.",
        "Write an identity (alice), a path (alice/codes) or a root (mailbox:alice@example.com).",
    )


def _place(chart: Chart, local: Local, name: str) -> int | None:
    """Where a name stands in the part; `None` where the part does not rest on it."""
    found = local.chart.vertex_of(name)
    if found is None:
        _vertex(chart, name)
    return found


def _take_away(draft: Draft, assessed: Assessment, at: int | None) -> set[int]:
    """Without a thing, the authenticators that cannot do without it are gone as well.

    Returns:
        What is gone: nobody can take it.
    """
    if at is None:
        return set()
    kinds = assessed.chart.graph.kind
    resting = {
        int(one)
        for one in np.flatnonzero(kinds == Kind.AUTHENTICATOR)
        if at in (assessed.solved.losses.of(int(one)) or ())
    }
    for one in (at, *sorted(resting)):
        draft.lose(one)
    return {at, *resting}


def _standing(assessed: Assessment, vertex: int, pairs: bool, gone: set[int]) -> Standing:
    chart, solved = assessed.chart, assessed.solved
    graph, names = chart.graph, chart.names
    weakest = int(solved.value[vertex])
    rows = [int(row) for row in np.flatnonzero(chart.ways.identity == vertex)]
    primary = next((row for row in rows if chart.ways.role[row] == Role.PRIMARY.value), None)
    need = 0
    if primary is not None:
        for one in np.flatnonzero(solved.row_of == primary):
            if graph.kind[one] == Kind.AUTHENTICATOR:
                need |= int(graph.base[one])
    lacking = () if is_no_way(weakest) else tuple(missing_bits(weakest, need))
    lost = solved.losses.of(vertex)
    told = (
        tell(assessed, int(at)) for at in in_order(assessed) if _concerns(assessed, int(at), vertex)
    )
    return Standing(
        weakest,
        tuple(
            (component, take_words(graph, names, weak_chain(graph, vertex, bit)))
            for component, bit in lacking
        ),
        tuple(names[one] for one in _alone(chart, vertex, gone)),
        _pairs(chart, vertex, gone) if pairs else (),
        None if lost is None else tuple(names[one] for one in lost),
        solved.losses.too_many(vertex),
        tuple(
            (names[int(chart.ways.vertex[row])], int(solved.value[chart.ways.vertex[row]]))
            for row in rows
        ),
        tuple(told),
    )


def _concerns(assessed: Assessment, at: int, vertex: int) -> bool:
    found = assessed.findings
    row = int(found.row[at])
    whose = int(assessed.chart.ways.identity[row]) if row >= 0 else int(found.vertex[at])
    return whose == vertex


def _alone(chart: Chart, vertex: int, gone: set[int]) -> list[int]:
    """Every thing that suffices alone."""
    out = {vertex, *gone}
    roots = [int(one) for one in np.flatnonzero(in_the_world(chart.graph)) if one not in out]
    return _sufficing(chart, vertex, roots, ())


def _pairs(chart: Chart, vertex: int, gone: set[int]) -> tuple[tuple[str, str], ...]:
    """Every two things that suffice together, where neither does alone."""
    alone = {vertex, *gone, *_alone(chart, vertex, gone)}
    roots = [int(one) for one in np.flatnonzero(in_the_world(chart.graph)) if one not in alone]
    found: set[tuple[int, int]] = set()
    for one in roots:
        found |= {
            (min(one, other), max(one, other))
            for other in _sufficing(chart, vertex, [r for r in roots if r != one], (one,))
        }
    return tuple((chart.names[a], chart.names[b]) for a, b in sorted(found))


def _sufficing(chart: Chart, vertex: int, roots: list[int], taken: Sequence[int]) -> list[int]:
    """Which of the roots bring the vertex down, given what is taken already."""
    graph = chart.graph
    around = onward(graph)
    found: list[int] = []
    for at in range(0, len(roots), _TOGETHER):
        chosen = roots[at : at + _TOGETHER]
        mask = np.zeros(graph.vertices, np.uint64)
        mask[list(taken)] = np.uint64(0xFFFFFFFFFFFFFFFF)
        mask[chosen] |= np.uint64(1) << np.arange(len(chosen), dtype=np.uint64)
        spread(graph, around, mask)
        fallen = int(mask[vertex])
        found += [root for bit, root in enumerate(chosen) if fallen >> bit & 1]
    return found
