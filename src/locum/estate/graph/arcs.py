"""Arcs that have no graph yet: taken from one, renumbered, put together, ordered by head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.graph.columns import Graph

Numbers = NDArray[np.int64]


class Arcs(msgspec.Struct, frozen=True):
    """Arcs in columns of length A; bodies stand one after another.

    Args:
        head: int64.
        own: uint16; `need`, `use` and `why` beside it: uint8.
        size: int32, how many vertices each body has.
        body: int64[sum of `size`].
    """

    head: Numbers
    own: NDArray[np.uint16]
    need: NDArray[np.uint8]
    use: NDArray[np.uint8]
    why: NDArray[np.uint8]
    size: NDArray[np.int32]
    body: Numbers

    @classmethod
    def of(cls, graph: Graph) -> Self:
        """All arcs of a graph."""
        return cls(
            graph.heads.astype(np.int64), graph.own, graph.need, graph.use, graph.why,
            np.diff(graph.body_first).astype(np.int32), graph.body.astype(np.int64),
        )  # fmt: skip

    def numbered(self, number: Numbers) -> Arcs:
        """The same arcs between vertices of other numbers.

        Args:
            number: by the number that a vertex has here.
        """
        return msgspec.structs.replace(self, head=number[self.head], body=number[self.body])

    def where(self, chosen: NDArray[np.bool_]) -> Arcs:
        """Those arcs that are chosen, in their order."""
        bodies = self.body[np.repeat(chosen, self.size)]
        return Arcs(
            self.head[chosen], self.own[chosen], self.need[chosen], self.use[chosen],
            self.why[chosen], self.size[chosen], bodies,
        )  # fmt: skip

    def by_head(self) -> Arcs:
        """The arcs in the order of their heads; those of one head keep theirs."""
        order = np.argsort(self.head, kind="stable")
        starts = np.cumsum(self.size, dtype=np.int64) - self.size
        size = self.size[order]
        ends = np.cumsum(size, dtype=np.int64)
        at = np.repeat(starts[order] - (ends - size), size) + np.arange(len(self.body))
        return Arcs(
            self.head[order], self.own[order], self.need[order], self.use[order], self.why[order],
            size, self.body[at],
        )  # fmt: skip

    def said_once(self) -> Arcs:
        """The arcs by head, each once; a body is the same in whatever order it stands."""
        arcs = self.by_head()
        ends = np.cumsum(arcs.size, dtype=np.int64)
        seen: set[tuple[object, ...]] = set()
        first = np.ones(len(arcs.head), np.bool_)
        several = np.zeros(len(arcs.head), np.bool_)
        several[1:] = arcs.head[1:] == arcs.head[:-1]
        several[:-1] |= several[1:]
        for at in np.flatnonzero(several):
            body = arcs.body[ends[at] - arcs.size[at] : ends[at]]
            columns = (arcs.head, arcs.own, arcs.need, arcs.use, arcs.why)
            said = (*(int(column[at]) for column in columns), *sorted(body.tolist()))
            first[at] = said not in seen
            seen.add(said)
        return arcs.where(first)


def together(parts: Sequence[Arcs]) -> Arcs:
    """The arcs of all parts, one part after another."""
    names = Arcs.__struct_fields__
    return Arcs(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))
