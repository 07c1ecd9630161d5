"""Small random graphs, said twice: in plain sets for the naive solver, and in columns."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import numpy as np

from locum.estate.graph.columns import BOTH, OPENS, TAKES, Graph, Kind, graph_of
from locum.estate.graph.lattice import NO_WAY, word_of
from locum.model.methods import FactorKind
from locum.model.strength import Binding, Factors, Phishing, Proofing, Strength

Profile = tuple[frozenset[FactorKind], int, int, int]
"""One way to take a thing: kinds of factor, phishing, binding, proofing."""
NOTHING: Profile = (frozenset(), 0, 0, 0)


@dataclass
class Arc:
    head: int
    body: tuple[int, ...]
    own: Profile
    need: int
    use: int


@dataclass
class Small:
    bases: list[Profile | None]
    kinds: list[Kind]
    arcs: list[Arc] = field(default_factory=list)


def random_graph(rng: random.Random) -> Small:
    """Up to nine vertices and sixteen arcs, with circles, thresholds and dead ends."""
    size = rng.randint(2, 9)
    kinds = [rng.choice(list(Kind)) for _ in range(size)]
    bases = [_profile(rng) if rng.random() < 0.5 else None for _ in range(size)]
    made = Small(bases, kinds)
    for _ in range(rng.randint(1, 16)):
        body = tuple(rng.sample(range(size), rng.randint(1, min(4, size))))
        need = rng.choice((0, 0, 0, rng.randint(1, len(body))))
        own = NOTHING if rng.random() < 0.6 else _profile(rng)
        made.arcs.append(
            Arc(rng.randrange(size), body, own, need, rng.choice((BOTH, BOTH, TAKES, OPENS)))
        )
    return made


def _profile(rng: random.Random) -> Profile:
    kinds = frozenset(rng.sample(list(FactorKind), rng.choice((0, 1, 1, 2, 3))))
    return kinds, rng.randint(0, 2), rng.randint(0, 3), rng.randint(0, 3)


def columns_of(small: Small) -> Graph:
    return graph_of(
        np.array([NO_WAY if one is None else _word(one) for one in small.bases], np.uint16),
        np.array(small.kinds, np.uint8),
        np.array([arc.head for arc in small.arcs], np.int32),
        np.array([_word(arc.own) for arc in small.arcs], np.uint16),
        np.array([arc.need for arc in small.arcs], np.uint8),
        np.array([arc.use for arc in small.arcs], np.uint8),
        np.zeros(len(small.arcs), np.uint8),
        np.array([len(arc.body) for arc in small.arcs], np.int32),
        np.array([one for arc in small.arcs for one in arc.body], np.int32),
    )


def _word(profile: Profile) -> int:
    kinds, phishing, binding, proofing = profile
    return word_of(kinds, Phishing(phishing), Binding(binding), Proofing(proofing))


def naive_weakest(small: Small) -> list[Strength | None]:
    """Every way to take every vertex, enumerated; then the least of each component."""
    ways: list[set[Profile]] = [set() if one is None else {one} for one in small.bases]
    changed = True
    while changed:
        changed = False
        for arc in small.arcs:
            if not arc.use & TAKES:
                continue
            needed = arc.need or len(arc.body)
            for chosen in itertools.combinations(arc.body, needed):
                whole = {arc.own}
                for one in chosen:  # equal ones are one way: their products would be millions
                    whole = {together(way, part) for way in whole for part in ways[one]}
                changed = changed or not whole <= ways[arc.head]
                ways[arc.head] |= whole
    return [least(found) for found in ways]


def together(one: Profile, other: Profile) -> Profile:
    return (
        one[0] | other[0],
        max(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def least(ways: set[Profile]) -> Strength | None:
    if not ways:
        return None
    return Strength(
        Factors(min(min(len(one[0]), 2) for one in ways)),
        Phishing(min(one[1] for one in ways)),
        Binding(min(one[2] for one in ways)),
        Proofing(min(one[3] for one in ways)),
    )


def naive_falls(small: Small, root: int) -> set[int]:
    """What falls with one root, where nothing is asked beyond a body."""
    taken = {root}
    while True:
        more = {
            arc.head
            for arc in small.arcs
            if arc.use & TAKES
            and arc.own[:3] == NOTHING[:3]
            and len(taken & set(arc.body)) >= (arc.need or len(arc.body))
        }
        if more <= taken:
            return taken
        taken |= more


def naive_losses(small: Small, vertex: int) -> set[int] | None:
    """The single losses after which a vertex is out of reach; `None` where it is already."""
    if vertex not in _available(small, None):
        return None
    losable = [one for one, kind in enumerate(small.kinds) if kind not in (Kind.WAY, Kind.QUORUM)]
    return {lost for lost in losable if lost != vertex and vertex not in _available(small, lost)}


def _available(small: Small, lost: int | None) -> set[int]:
    closed = {arc.head for arc in small.arcs if arc.use & OPENS}
    there = {one for one in range(len(small.bases)) if one not in closed} - {lost}
    while True:
        more = {
            arc.head
            for arc in small.arcs
            if arc.use & OPENS
            and arc.head != lost
            and len(there & set(arc.body)) >= (arc.need or len(arc.body))
        }
        if more <= there:
            return there
        there |= more
