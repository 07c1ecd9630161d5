"""A small chart that one changes to see what would happen: without a thing, with another way."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.chart import LOCUM, METHODS, Chart
from locum.estate.graph.columns import BOTH, OPENS, TAKES, Kind, Why, graph_of
from locum.estate.graph.lattice import NO_WAY, WEAKEST, word_of_method
from locum.estate.graph.ways import ACTIVE, NO_APPROVALS, UNSAID, Ways
from locum.estate.inventory import Role
from locum.estate.problem import Position
from locum.model.methods import method
from locum.model.strength import Proofing

_Arc = tuple[int, int, int, int, int, tuple[int, ...]]


class Draft:
    """A chart in lists. Changes are made to it, and `chart` reads them as a chart again."""

    def __init__(self, chart: Chart) -> None:
        self._from = chart
        graph = chart.graph
        self._base: list[int] = graph.base.tolist()
        self._kind: list[int] = graph.kind.tolist()
        self._names = list(chart.names)
        self._places = list(chart.places)
        bodies = np.split(graph.body, graph.body_first[1:-1]) if graph.arcs else []
        self._arcs: list[_Arc] = [
            (head, own, need, use, why, tuple(body.tolist()))
            for head, own, need, use, why, body in zip(
                graph.heads.tolist(), graph.own.tolist(), graph.need.tolist(),
                graph.use.tolist(), graph.why.tolist(), bodies, strict=True,
            )
        ]  # fmt: skip
        self._columns: dict[str, list[int]] = {
            name: getattr(chart.ways, name).tolist() for name in Ways.__struct_fields__
        }

    def lose(self, vertex: int) -> None:
        """Do away with a vertex: nobody takes it and nothing opens it, so it opens nothing."""
        self._base[vertex] = NO_WAY
        never = (vertex, WEAKEST, 1, BOTH, int(Why.RESTS_ON), ())  # one of none
        self._arcs = [arc for arc in self._arcs if arc[0] != vertex]
        self._arcs.append(never)
        for row, way in enumerate(self._columns["vertex"]):
            if way == vertex:
                self.set(row, "flags", self._columns["flags"][row] & ~ACTIVE)

    def drop(self, head: int, body: tuple[int, ...]) -> None:
        """Do away with one alternative: what this body gives this head."""
        self._arcs = [
            arc for arc in self._arcs if not (arc[0] == head and set(body) <= set(arc[5]))
        ]

    def demand(self, way: int, methods: tuple[str, ...], carried: Proofing) -> None:
        """Let a way ask for further methods.

        What it hands out, and whoever vouches for it, are ways around what it asks for.
        """
        more = [self._authenticator(way, one, carried) for one in methods]
        self._arcs = [
            (*arc[:5], (*arc[5], *more)) if arc[0] == way and arc[4] == Why.PRESENTS else arc
            for arc in self._arcs
        ]

    def add_path(
        self, identity: int, name: str, methods: tuple[str, ...], carried: Proofing
    ) -> int:
        """Declare a further path; as every declared one it opens through Locum only."""
        return self._add(identity, name, methods, carried, (self._locum(),))

    def add_way(self, identity: int, name: str, methods: tuple[str, ...], carried: Proofing) -> int:
        """Give an identity, or a root, a further way in that Locum has no part in."""
        return self._add(identity, name, methods, carried, ())

    def _add(
        self,
        identity: int,
        name: str,
        methods: tuple[str, ...],
        carried: Proofing,
        through: tuple[int, ...],
    ) -> int:
        """Returns the vertex of the way."""
        way = self._vertex(name, NO_WAY, Kind.WAY)
        parts = tuple(self._authenticator(way, one, carried) for one in methods)
        self._arcs.append((identity, WEAKEST, 0, BOTH, int(Why.IS_WAY), (way,)))
        self._arcs.append((way, WEAKEST, 0, TAKES, int(Why.PRESENTS), parts))
        self._arcs.append((way, WEAKEST, 0, OPENS, int(Why.PRESENTS), (*parts, *through)))
        primary = next(
            (
                row
                for row, whose in enumerate(self._columns["identity"])
                if whose == identity and self._columns["role"][row] == Role.PRIMARY.value
            ),
            -1,
        )
        known = {
            "vertex": way, "identity": identity, "primary": primary, "role": Role.DECLARED.value,
            "method": METHODS.index(methods[0]) if methods[0] in METHODS else len(METHODS) - 1,
            "flags": ACTIVE, "spare": NO_APPROVALS, "asked": -1, "owned": 1,
        }  # fmt: skip
        for name_, column in self._columns.items():
            unsaid = name_ in ("created", "ends", "used", "drilled", "reviewed", "waived")
            column.append(known.get(name_, UNSAID if unsaid else 0))
        return way

    def set(self, row: int, column: str, value: int) -> None:
        """Change what a way's column says."""
        self._columns[column][row] = value

    def flags(self, row: int) -> int:
        """The flags of a way."""
        return self._columns["flags"][row]

    def chart(self) -> Chart:
        """What has become of it."""
        arcs = self._arcs
        graph = graph_of(
            np.array(self._base, np.uint16),
            np.array(self._kind, np.uint8),
            np.array([arc[0] for arc in arcs], np.int32),
            np.array([arc[1] for arc in arcs], np.uint16),
            np.array([arc[2] for arc in arcs], np.uint8),
            np.array([arc[3] for arc in arcs], np.uint8),
            np.array([arc[4] for arc in arcs], np.uint8),
            np.array([len(arc[5]) for arc in arcs], np.int32),
            np.array([one for arc in arcs for one in arc[5]], np.int32),
        )
        of = self._from
        ways = Ways(
            **{
                name: np.array(column, getattr(of.ways, name).dtype)
                for name, column in self._columns.items()
            }
        )
        more = graph.vertices - of.graph.vertices

        def longer(flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.concatenate([flags, np.zeros(more, np.uint8)])

        return msgspec.structs.replace(
            of,
            graph=graph,
            ways=ways,
            names=self._names,
            places=self._places,
            unknown=longer(of.unknown),
            person=longer(of.person),
            privileged=longer(of.privileged),
        )

    def _locum(self) -> int:
        """The vertex of Locum, which the part may not hold yet."""
        if LOCUM in self._names:
            return self._names.index(LOCUM)
        return self._vertex(LOCUM, NO_WAY, Kind.LOCUM)

    def _vertex(self, name: str, base: int, kind: Kind) -> int:
        self._names.append(name)
        self._places.append(Position("", 0, 0))
        self._base.append(base)
        self._kind.append(int(kind))
        return len(self._base) - 1

    def _authenticator(self, way: int, name: str, carried: Proofing) -> int:
        word = word_of_method(method(name), carried)
        return self._vertex(f"{self._names[way]}/{name}", word, Kind.AUTHENTICATOR)
