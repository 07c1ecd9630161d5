"""The graph in columns: what the kernels read, without a name in it.

An arc says "these together give that": `need` of its body's vertices (0: all of them) give its
head, and `own` is what is asked beyond them. Arcs stand by head, bodies by arc, both as offsets.
One arc may hold for whoever takes over (`TAKES`), for whoever depends on it (`OPENS`), or both:
a device gives its keys to a thief together with a finger, and to its owner they are all needed.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

TAKES, OPENS = 1, 2
"""Uses of an arc: it counts for taking over, for having a way in left."""
BOTH = TAKES | OPENS


class Kind(IntEnum):
    """What a vertex is; `shown` is the word in front of its name."""

    IDENTITY = 0
    WAY = 1
    AUTHENTICATOR = 2
    QUORUM = 3
    DEVICE = 4
    MAILBOX = 5
    PHONE_NUMBER = 6
    VAULT = 7
    HELP_DESK = 8
    CUSTODIAN = 9
    IDENTITY_PROVIDER = 10
    AUTHORITY = 11
    ACCOUNT = 12
    LOCUM = 13
    UNKNOWN = 14

    @property
    def shown(self) -> str:
        """The word of it, as it stands before a colon in a name."""
        return self.name.lower().replace("_", "-")


class Why(IntEnum):
    """Why an arc gives its head; the words of an explanation."""

    IS_WAY = 0
    PRESENTS = 1
    KEPT_ON = 2
    RESTS_ON = 3
    OPENED_BY = 4
    YIELDS = 5
    SIGNS_IN = 6
    QUORUM_OF = 7
    ADMINISTERED_BY = 8
    ISSUED_BY = 9
    ACTS_FOR = 10
    ASSUMED_BY = 11


class Graph(msgspec.Struct, frozen=True):
    """Vertices and arcs in columns.

    Args:
        base: uint16[V], what taking the vertex itself takes; 0xFFFF where it cannot be taken.
        kind: uint8[V], a `Kind`.
        first: int32[V + 1], where the arcs of each head begin.
        own: uint16[A], what the arc asks beyond its body.
        need: uint8[A], how many of the body; 0 for all.
        use: uint8[A], `TAKES`, `OPENS` or both.
        why: uint8[A], a `Why`.
        body_first: int32[A + 1], where the body of each arc begins.
        body: int32[B], the vertices of the bodies.
    """

    base: NDArray[np.uint16]
    kind: NDArray[np.uint8]
    first: NDArray[np.int32]
    own: NDArray[np.uint16]
    need: NDArray[np.uint8]
    use: NDArray[np.uint8]
    why: NDArray[np.uint8]
    body_first: NDArray[np.int32]
    body: NDArray[np.int32]

    @property
    def vertices(self) -> int:
        """How many vertices there are."""
        return len(self.base)

    @property
    def arcs(self) -> int:
        """How many arcs there are."""
        return len(self.own)

    @property
    def heads(self) -> NDArray[np.int32]:
        """int32[A]: the head of each arc."""
        return np.repeat(np.arange(self.vertices, dtype=np.int32), np.diff(self.first))

    @property
    def bytes(self) -> int:
        """What the columns weigh."""
        return sum(getattr(self, name).nbytes for name in self.__struct_fields__)


class Onward(msgspec.Struct, frozen=True):
    """The same arcs seen from their bodies.

    Args:
        first: int32[V + 1], where the arcs begin in whose bodies each vertex stands.
        arc: int32[B], those arcs.
        head: int32[A], the head of each arc.
    """

    first: NDArray[np.int32]
    arc: NDArray[np.int32]
    head: NDArray[np.int32]


def graph_of(
    base: NDArray[np.uint16],
    kind: NDArray[np.uint8],
    head: NDArray[np.int32],
    own: NDArray[np.uint16],
    need: NDArray[np.uint8],
    use: NDArray[np.uint8],
    why: NDArray[np.uint8],
    size: NDArray[np.int32],
    body: NDArray[np.int32],
) -> Graph:
    """Put arcs that come in any order into columns, ordered by head.

    Args:
        head: int32[A]; the other columns of arcs beside it.
        size: int32[A], how many vertices each arc's body has.
        body: int32[B], the bodies one after another.
    """
    vertices = len(base)
    first = np.zeros(vertices + 1, np.int32)
    np.cumsum(np.bincount(head, minlength=vertices), out=first[1:])
    body_first = np.zeros(len(head) + 1, np.int32)
    if np.all(head[1:] >= head[:-1]):
        np.cumsum(size, out=body_first[1:])
        return settled(Graph(base, kind, first, own, need, use, why, body_first, body))
    order = np.argsort(head, kind="stable")
    starts = np.zeros(len(head) + 1, np.int64)
    np.cumsum(size, out=starts[1:])
    size = size[order]
    np.cumsum(size, out=body_first[1:])
    shift = starts[:-1][order] - body_first[:-1]
    body = body[np.repeat(shift, size) + np.arange(len(body))]
    return settled(
        Graph(base, kind, first, own[order], need[order], use[order], why[order], body_first, body)
    )


def settled(graph: Graph) -> Graph:
    """The same graph; nobody can write to its columns any more.

    The loops are compiled once for such columns, whether they were read or drawn.
    """
    for name in graph.__struct_fields__:
        getattr(graph, name).setflags(write=False)
    return graph


def onward(graph: Graph) -> Onward:
    """Turn the arcs round."""
    first = np.zeros(graph.vertices + 1, np.int32)
    np.cumsum(np.bincount(graph.body, minlength=graph.vertices), out=first[1:])
    arc_of = np.repeat(np.arange(graph.arcs, dtype=np.int32), np.diff(graph.body_first))
    arc = arc_of[np.argsort(graph.body, kind="stable")]
    return Onward(first, arc, graph.heads)
