"""The solver gives what an enumeration of every derivation gives, and what clingo gives."""

from __future__ import annotations

import random
from collections.abc import Callable

import clingo
import numpy as np
import pytest
from numpy.typing import NDArray

from locum.estate.graph import kernel, running
from locum.estate.graph.columns import BOTH, TAKES, Graph, Kind, Onward, onward
from locum.estate.graph.lattice import NO_WAY, is_no_way, strength_of_word
from locum.estate.graph.solving import falls, losses, weakest
from locum.model.strength import Binding, Factors, Phishing, Proofing, Strength
from tests.graph.small import (
    NOTHING,
    Arc,
    Profile,
    Small,
    columns_of,
    naive_falls,
    naive_losses,
    naive_weakest,
    random_graph,
)

CASES = 10_000
"""Random graphs; the slower questions are asked of a part of them."""
PARTS = 4
_LEVELS = {"phishing": 2, "binding": 3, "proofing": 3}


def _graphs(part: int) -> list[Small]:
    rng = random.Random(part)
    return [random_graph(rng) for _ in range(CASES // PARTS)]


def _solved(graph: Graph) -> list[Strength | None]:
    value = weakest(graph, lambda: onward(graph))
    return [None if is_no_way(int(one)) else strength_of_word(int(one)) for one in value]


@pytest.mark.parametrize("part", range(PARTS))
def test_the_weakest_way_is_that_of_an_enumeration_of_all_derivations(part: int) -> None:
    for small in _graphs(part):
        assert _solved(columns_of(small)) == naive_weakest(small), small


def test_a_long_chain_in_the_worst_order_is_followed_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "COMPILED_FROM", 0)  # as they stand, the loops take half a minute
    length = 3_000
    chain = Small([None] * length, [Kind.DEVICE] * length)
    chain.bases[-1] = NOTHING
    chain.arcs = [Arc(one, (one + 1,), NOTHING, 0, BOTH) for one in range(length - 1)]
    graph = columns_of(chain)
    around = onward(graph)
    assert not weakest(graph, lambda: around).any()
    assert losses(graph, around, limit=length).of(0) == list(range(1, length))
    fallen = falls(graph, around, *_watching(graph), limit=10)
    assert fallen.reach.tolist() == [0] * length


def test_the_compiled_loops_give_what_the_plain_ones_give(monkeypatch: pytest.MonkeyPatch) -> None:
    smalls = _graphs(0)[:300]
    plain = [_all(columns_of(small)) for small in smalls]
    monkeypatch.setattr(running, "COMPILED_FROM", 0)
    assert [_all(columns_of(small)) for small in smalls] == plain


def _watching(graph: Graph) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.ones(graph.vertices, np.uint8), (graph.kind == Kind.IDENTITY).astype(np.uint8)


def _all(graph: Graph) -> list[object]:
    around = onward(graph)
    fallen = falls(graph, around, *_watching(graph), limit=3)
    lost = losses(graph, around)
    return [
        weakest(graph, lambda: around).tolist(),
        fallen.reach.tolist(),
        fallen.alone.tolist(),
        [lost.of(one) for one in range(graph.vertices)],
    ]


@pytest.mark.parametrize("limit", [1, 3, 2_000], ids=["together", "both", "one-by-one"])
def test_what_falls_with_one_root_is_that_of_a_closure(limit: int) -> None:
    for small in _graphs(1)[:700]:
        graph = columns_of(small)
        found = falls(graph, onward(graph), *_watching(graph), limit=limit)
        fallen = {root: naive_falls(small, root) for root in map(int, found.roots)}
        for root, reach in zip(map(int, found.roots), found.reach, strict=True):
            people = {one for one in fallen[root] if small.kinds[one] is Kind.IDENTITY} - {root}
            assert reach == len(people), (small, root)
        for vertex, kind in enumerate(small.kinds):
            if kind is not Kind.IDENTITY:
                continue
            roots = {root for root in fallen if vertex in fallen[root] and root != vertex}
            assert found.alone[vertex] == len(roots), (small, vertex)
            assert (int(found.worst[vertex]) in roots) == bool(roots)


@pytest.mark.parametrize("limit", [1, 2_000], ids=["together", "one-by-one"])
def test_a_privileged_identity_that_falls_is_told(limit: int) -> None:
    small = Small([None] * 4, [Kind.DEVICE, Kind.MAILBOX, Kind.IDENTITY, Kind.IDENTITY])
    small.arcs = [Arc(2, (0,), NOTHING, 0, BOTH), Arc(3, (1,), NOTHING, 0, BOTH)]
    graph = columns_of(small)
    low, watched = _watching(graph)
    watched[3] = 3
    found = falls(graph, onward(graph), low, watched, limit=limit)
    assert found.roots[found.privileged != 0].tolist() == [1]
    assert found.reach.tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("part", range(PARTS))
def test_single_losses_are_those_of_trying_each(part: int) -> None:
    for small in _graphs(part):
        graph = columns_of(small)
        found = losses(graph, onward(graph))
        for vertex in range(len(small.kinds)):
            wanted = naive_losses(small, vertex)
            have = found.of(vertex)
            assert (None if have is None else set(have)) == wanted, (small, vertex)


def test_more_losses_than_are_kept_are_said_to_be_too_many_and_never_a_part() -> None:
    chain = Small([None] * 40, [Kind.DEVICE] * 40)
    chain.arcs = [Arc(one, (one - 1,), NOTHING, 0, 3) for one in range(1, 40)]
    graph = columns_of(chain)
    found = losses(graph, onward(graph), limit=30)
    assert found.of(30) == list(range(30))
    assert found.too_many(31)
    assert found.of(39) == []


def test_the_weakest_way_is_that_of_clingo() -> None:
    for small in _graphs(2)[:400]:
        assert _solved(columns_of(small)) == _by_clingo(small), small


_PROGRAM = """
got(V, T) :- base(V, T).
got(H, T) :- arc(A, H, N), own(A, T), N { got(B, T) : body(A, B) }.
#show got/2.
"""


def _by_clingo(small: Small) -> list[Strength | None]:
    """The same question as an answer set program: who gets where with how little."""
    facts = []
    for vertex, base in enumerate(small.bases):
        if base is not None:
            facts += [f'base({vertex},"{test}").' for test in _passed(base)]
    for at, arc in enumerate(small.arcs):
        if arc.use & TAKES:
            facts.append(f"arc({at},{arc.head},{arc.need or len(arc.body)}).")
            facts += [f"body({at},{one})." for one in arc.body]
            facts += [f'own({at},"{test}").' for test in _passed(arc.own)]
    control = clingo.Control(["--warn=none"])
    control.add("base", [], _PROGRAM + "\n".join(facts))
    control.ground([("base", [])])
    got: set[tuple[int, str]] = set()
    control.solve(
        on_model=lambda model: got.update(
            (one.arguments[0].number, one.arguments[1].string) for one in model.symbols(shown=True)
        )
    )
    return [_least(vertex, got) for vertex in range(len(small.bases))]


_SUBSETS = [(), ("known",), ("held",), ("inherent",), ("known", "held", "inherent")]
_TWO = [("known", "held"), ("known", "inherent"), ("held", "inherent")]


def _passed(profile: Profile) -> list[str]:
    """The tests that an attacker with so little passes."""
    kinds = {kind.value for kind in profile[0]}
    passed = ["+".join(held) for held in (*_SUBSETS, *_TWO) if kinds <= set(held)]
    for (name, top), level in zip(_LEVELS.items(), profile[1:], strict=True):
        passed += [f"{name}{at}" for at in range(level, top + 1)]
    return passed


def _least(vertex: int, got: set[tuple[int, str]]) -> Strength | None:
    if (vertex, "known+held+inherent") not in got:
        return None
    factors = 2
    if any((vertex, "+".join(held)) in got for held in _SUBSETS[1:4]):
        factors = 1
    if (vertex, "") in got:
        factors = 0
    levels = [
        next(at for at in range(top + 1) if (vertex, f"{name}{at}") in got)
        for name, top in _LEVELS.items()
    ]
    return Strength(Factors(factors), Phishing(levels[0]), Binding(levels[1]), Proofing(levels[2]))


def test_nobody_gets_where_only_a_circle_leads() -> None:
    small = Small([None, None], [Kind.IDENTITY, Kind.MAILBOX])
    small.arcs = [Arc(0, (1,), NOTHING, 0, 3), Arc(1, (0,), NOTHING, 0, 3)]
    graph = columns_of(small)
    assert weakest(graph, lambda: onward(graph)).tolist() == [NO_WAY, NO_WAY]
    assert losses(graph, onward(graph)).of(0) is None


def test_turning_the_arcs_round_keeps_each() -> None:
    for small in _graphs(3)[:200]:
        graph = columns_of(small)
        around: Onward = onward(graph)
        forward = {
            (int(graph.body[i]), a)
            for a in range(graph.arcs)
            for i in range(graph.body_first[a], graph.body_first[a + 1])
        }
        backward = {
            (v, int(around.arc[i]))
            for v in range(graph.vertices)
            for i in range(around.first[v], around.first[v + 1])
        }
        assert forward == backward


def test_the_table_of_a_small_graph_counts_as_the_loop_does() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        vertices, count = int(rng.integers(1, 40)), int(rng.integers(1, 65))
        roots = rng.integers(0, vertices, count).astype(np.int32)
        mask = rng.integers(0, 2**63, vertices, np.uint64) & rng.integers(
            0, 2**63, vertices, np.uint64
        )
        mask &= np.uint64((1 << count) - 1)
        watched = rng.integers(0, 4, vertices).astype(np.uint8)
        low = rng.integers(0, 2, vertices).astype(np.uint8)
        most = rng.integers(-1, 3, vertices)
        said = []
        loops: tuple[Callable[..., None], ...] = (kernel.count_falls, kernel.count_falls_at_once)
        for run in loops:
            columns = (
                np.zeros(count, np.int64), np.zeros(count, np.uint8),
                np.zeros(vertices, np.int32), np.full(vertices, -1, np.int32), most.copy(),
            )  # fmt: skip
            run(mask, watched, roots, low, *columns)
            said.append([column.tolist() for column in columns])
        assert said[0] == said[1]
