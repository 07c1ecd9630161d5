"""The same question to others: clingo, a loop of SQL in DuckDB, and networkx; answers compared."""

from __future__ import annotations

import time
from collections import deque

import clingo
import duckdb
import networkx as nx
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from locum.estate.generating.generate import generate
from locum.estate.graph.columns import TAKES, Graph, onward
from locum.estate.graph.solving import weakest

_BITS = 16
Words = NDArray[np.uint16]
_FOR_CLINGO = 5_000


def report(identities: int, now: int, seed: int) -> None:
    """Print who answers in how long, and whether the answer is the same."""
    print("\n== beside others: the weakest way in for all, on the same graph")
    for size, others in (
        (min(identities, _FOR_CLINGO), (("clingo", by_clingo), ("networkx", by_networkx))),
        (identities, (("DuckDB", by_duckdb), ("networkx", by_networkx))),
    ):
        graph = generate(size, seed, now).chart.graph
        around = onward(graph)
        weakest(graph, lambda around=around: around)  # type: ignore[misc]
        begun = time.perf_counter()
        ours = weakest(graph, lambda around=around: around)  # type: ignore[misc]
        mine = time.perf_counter() - begun
        print(f"{size:,} identities, {graph.arcs:,} arcs: Locum {1000 * mine:.1f} ms")
        for name, ask in others:
            begun = time.perf_counter()
            theirs = ask(graph)
            took = time.perf_counter() - begun
            same = "same answer" if np.array_equal(ours, theirs) else "ANOTHER ANSWER"
            print(f"  {name:<10} {took:8.2f} s   {took / mine:10,.0f} x   {same}")


def _clear(word: int) -> list[int]:
    return [bit for bit in range(_BITS) if not word >> bit & 1]


def _bodies(graph: Graph) -> list[list[int]]:
    return [
        graph.body[graph.body_first[arc] : graph.body_first[arc + 1]].tolist()
        for arc in range(graph.arcs)
    ]


def by_clingo(graph: Graph) -> Words:
    """As an answer set program: which attacker, a bit each, gets where."""
    heads = graph.heads
    facts = [
        f"base({vertex},{bit})."
        for vertex, word in enumerate(graph.base.tolist())
        for bit in _clear(word)
    ]
    for arc, body in enumerate(_bodies(graph)):
        if graph.use[arc] & TAKES:
            facts.append(f"arc({arc},{heads[arc]},{int(graph.need[arc]) or len(body)}).")
            facts += [f"own({arc},{bit})." for bit in _clear(int(graph.own[arc]))]
            facts += [f"body({arc},{one})." for one in body]
    program = """
        got(V, B) :- base(V, B).
        got(H, B) :- arc(A, H, N), own(A, B), N { got(X, B) : body(A, X) }.
        #show got/2.
    """
    control = clingo.Control(["--warn=none"])
    control.add("base", [], program + "\n".join(facts))
    control.ground([("base", [])])
    value = np.full(graph.vertices, 0xFFFF, np.uint16)

    def read(model: clingo.Model) -> None:
        for one in model.symbols(shown=True):
            vertex, bit = (part.number for part in one.arguments)
            value[vertex] &= np.uint16(0xFFFF ^ (1 << bit))

    control.solve(on_model=read)
    return value


def by_networkx(graph: Graph) -> Words:
    """As a directed graph of vertices and arcs, followed from what is granted, a bit at a time."""
    net = nx.DiGraph()
    heads, bodies = graph.heads.tolist(), _bodies(graph)
    net.add_nodes_from(range(graph.vertices))
    for arc, body in enumerate(bodies):
        if graph.use[arc] & TAKES:
            node = ("arc", arc)
            net.add_edge(node, heads[arc])
            net.add_edges_from((one, node) for one in body)
    own, base = graph.own.tolist(), graph.base.tolist()
    needs = [int(need) or len(body) for need, body in zip(graph.need, bodies, strict=True)]
    value = np.full(graph.vertices, 0xFFFF, np.uint16)
    for bit in range(_BITS):
        got = {vertex for vertex, word in enumerate(base) if not word >> bit & 1}
        queue, counted = deque(got), dict[int, int]()
        while queue:
            for node in net.successors(queue.popleft()):
                arc = node[1]
                if own[arc] >> bit & 1:
                    continue
                counted[arc] = counted.get(arc, 0) + 1
                if counted[arc] == needs[arc] and heads[arc] not in got:
                    got.add(heads[arc])
                    queue.append(heads[arc])
        value[list(got)] &= np.uint16(0xFFFF ^ (1 << bit))
    return value


def by_duckdb(graph: Graph) -> Words:
    """As rounds of SQL until nothing changes; what stands by itself is not asked again."""
    arcs = np.flatnonzero(graph.use & TAKES)
    size = np.diff(graph.body_first)
    base = duckdb.connect()
    columns = {"a": np.arange(graph.arcs), "h": graph.heads, "own": graph.own}
    parts = {"a": np.repeat(np.arange(graph.arcs), size), "b": graph.body}
    base.register("arc_columns", pa.table(columns))
    base.register("body_columns", pa.table(parts))
    base.register("taken", pa.table({"a": arcs}))
    base.register("value_columns", pa.table({"v": np.arange(graph.vertices), "w": graph.base}))
    for name in ("arcs", "bodies"):
        columns_of = {"arcs": "arc_columns", "bodies": "body_columns"}[name]
        base.execute(f"create table {name} as select c.* from {columns_of} c join taken using (a)")
    base.execute("create table val as select * from value_columns")
    while True:
        base.execute(
            """
            create or replace table fresh as
            with given as (
                select a, bit_or(w) as w from bodies join val on val.v = bodies.b group by a
            ), best as (
                select h as v, bit_and(own | given.w) as w from arcs join given using (a) group by h
            )
            select val.v, coalesce(val.w & best.w, val.w) as w from val left join best using (v)
            """
        )
        changed = base.execute(
            "select count(*) from val join fresh using (v) where val.w <> fresh.w"
        ).fetchone()
        base.execute("drop table val")
        base.execute("alter table fresh rename to val")
        if not changed or changed[0] == 0:
            break
    return np.asarray(base.execute("select w from val order by v").fetchnumpy()["w"], np.uint16)
