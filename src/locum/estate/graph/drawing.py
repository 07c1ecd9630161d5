"""Draw a graph by names: what is mentioned and never defined is unknown, and worth the least."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.columns import BOTH, Graph, Kind, Why, graph_of
from locum.estate.graph.lattice import NO_WAY, WEAKEST, Word
from locum.estate.problem import Position

NOWHERE = Position("", 0, 0)
KINDS = {kind.shown: kind for kind in Kind if kind not in (Kind.IDENTITY, Kind.WAY, Kind.QUORUM)}
"""Kinds by the word that stands before the colon of a name."""


def kind_of(name: str) -> Kind:
    """The kind that a name says it is of; an identity where it says none."""
    word, colon, _ = name.partition(":")
    return KINDS.get(word, Kind.UNKNOWN) if colon else Kind.IDENTITY


class Drawn(msgspec.Struct, frozen=True):
    """A graph with its names.

    Args:
        names: by vertex.
        places: by vertex: where it is defined, or first mentioned.
        unknown: uint8[V], nothing defines it.
    """

    graph: Graph
    names: list[str]
    places: list[Position]
    unknown: NDArray[np.uint8]
    vertex_of: dict[str, int]


class Drawing:
    """A graph in the making; it holds one vertex per name, whoever mentions it first."""

    def __init__(self) -> None:
        self._vertex_of: dict[str, int] = {}
        self._base: list[Word] = []
        self._kind: list[Kind] = []
        self._place: list[Position] = []
        self._defined: list[bool] = []
        self._arcs: list[tuple[int, Word, int, int, Why]] = []
        self._bodies: list[list[int]] = []
        self._said: set[tuple[Any, ...]] = set()

    def mention(self, name: str, place: Position = NOWHERE, kind: Kind | None = None) -> int:
        """The vertex of a name, which something else has to define."""
        found = self._vertex_of.get(name)
        if found is None:
            found = self._vertex_of[name] = len(self._base)
            self._base.append(WEAKEST)
            self._kind.append(kind_of(name) if kind is None else kind)
            self._place.append(place)
            self._defined.append(False)
        return found

    def define(
        self, name: str, base: Word = NO_WAY, place: Position = NOWHERE, kind: Kind | None = None
    ) -> int:
        """Define what taking a thing itself takes; `NO_WAY` where only arcs lead there.

        Where it is defined twice, the weaker of both holds.
        """
        vertex = self.mention(name, place, kind)
        if self._defined[vertex]:
            self._base[vertex] &= base
            return vertex
        self._base[vertex], self._defined[vertex] = base, True
        if place is not NOWHERE:
            self._place[vertex] = place
        return vertex

    def is_defined(self, name: str) -> bool:
        """Whether something has defined this name."""
        found = self._vertex_of.get(name)
        return found is not None and self._defined[found]

    def arc(
        self,
        head: int,
        body: Iterable[int],
        why: Why,
        own: Word = WEAKEST,
        need: int = 0,
        use: int = BOTH,
    ) -> None:
        """Say that `need` of a body (0: all of it), and `own` beyond, give the head."""
        parts = list(dict.fromkeys(body))
        said = (head, tuple(parts), own, need, use, why)
        if said not in self._said:
            self._said.add(said)
            self._arcs.append((head, own, need, use, why))
            self._bodies.append(parts)

    def finish(self) -> Drawn:
        """The graph in columns; what nothing defines is marked, and worth the least."""
        columns = list(zip(*self._arcs, strict=True)) or [(), (), (), (), ()]
        head, own, need, use, why = columns
        graph = graph_of(
            np.array(self._base, np.uint16),
            np.array(self._kind, np.uint8),
            np.array(head, np.int32),
            np.array(own, np.uint16),
            np.array(need, np.uint8),
            np.array(use, np.uint8),
            np.array(why, np.uint8),
            np.array([len(body) for body in self._bodies], np.int32),
            np.array([one for body in self._bodies for one in body], np.int32),
        )
        unknown = np.array([not defined for defined in self._defined], np.uint8)
        return Drawn(graph, list(self._vertex_of), self._place, unknown, self._vertex_of)
