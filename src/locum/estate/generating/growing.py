"""Vertices, arcs and ways that grow in blocks of columns, a whole population at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from locum.estate.graph.chart import METHODS, Chart
from locum.estate.graph.columns import BOTH, Kind, Why, graph_of
from locum.estate.graph.lattice import NO_WAY, WEAKEST
from locum.estate.graph.reading import Names, Places
from locum.estate.graph.ways import ACTIVE, NO_APPROVALS, UNSAID, Ways
from locum.estate.inventory import Role

Vertices = NDArray[np.int32]
_TYPES = {
    name: getattr(np, hint.removeprefix("NDArray[np.").removesuffix("]"))
    for name, hint in Ways.__annotations__.items()
}


def numbered(prefix: str, numbers: NDArray[Any], suffix: str = "") -> Any:
    """Names like `svc-17#primary`, one for each number."""
    text = pc.cast(pa.array(numbers), pa.large_string())
    empty = pa.scalar("", pa.large_string())
    return pc.binary_join_element_wise(
        pa.scalar(prefix, pa.large_string()), text, pa.scalar(suffix, pa.large_string()), empty
    )


class Growing:
    """A chart in the making: blocks are added, and put together once."""

    def __init__(self) -> None:
        self._size = 0
        self._base: list[NDArray[np.uint16]] = []
        self._kind: list[NDArray[np.uint8]] = []
        self._names: list[Any] = []
        self._arcs: list[tuple[Any, ...]] = []
        self._ways: list[dict[str, NDArray[Any]]] = []
        self._person: list[Vertices] = []
        self._privileged: list[Vertices] = []

    def vertices(self, names: Any, kind: Kind, base: int | NDArray[np.uint16] = NO_WAY) -> Vertices:
        """Add vertices; returns their numbers."""
        count = len(names)
        self._names.append(names)
        self._kind.append(np.full(count, kind, np.uint8))
        self._base.append(np.broadcast_to(np.asarray(base, np.uint16), (count,)))
        first, self._size = self._size, self._size + count
        return np.arange(first, self._size, dtype=np.int32)

    def arcs(
        self, head: Vertices, body: list[Vertices], why: Why,
        own: int | NDArray[Any] = WEAKEST, need: int = 0, use: int = BOTH,
    ) -> None:  # fmt: skip
        """Add arcs with bodies of one size: the columns stand beside each other."""
        count = len(head)
        self._arcs.append(
            (
                head,
                np.broadcast_to(np.asarray(own, np.uint16), (count,)),
                np.full(count, need, np.uint8),
                np.full(count, use, np.uint8),
                np.full(count, why, np.uint8),
                np.full(count, len(body), np.int32),
                np.stack(body, axis=1).astype(np.int32).reshape(-1),
            )
        )

    def ways(
        self, vertex: Vertices, identity: Vertices, role: Role, method: Any, **more: Any
    ) -> None:
        """Add ways; what is not said is active, owned, and has no known past."""
        count = len(vertex)
        method = np.array([METHODS.index(method)]) if isinstance(method, str) else method
        said = {
            "vertex": vertex, "identity": identity, "primary": -1, "role": role.value,
            "method": method, "flags": ACTIVE, "lacks": 0, "spare": NO_APPROVALS, "asked": -1,
            "owned": 1, "review_within": 24 * 60,
            "drill_days": 0, "created": UNSAID, "ends": UNSAID, "used": UNSAID,
            "drilled": UNSAID, "reviewed": UNSAID, "waived": UNSAID, **more,
        }  # fmt: skip
        self._ways.append(
            {
                name: np.broadcast_to(np.asarray(value).astype(_TYPES[name]), (count,))
                for name, value in said.items()
            }
        )

    def people(self, identities: Vertices) -> None:
        """These identities are human."""
        self._person.append(identities)

    def privilege(self, identities: Vertices) -> None:
        """These identities may change others."""
        self._privileged.append(identities)

    def chart(self) -> Chart:
        """Put everything together."""
        parts = [np.concatenate(column) for column in zip(*self._arcs, strict=True)]
        self._arcs.clear()
        head, own, need, use, why, size, body = parts
        del parts
        graph = graph_of(
            np.concatenate(self._base), np.concatenate(self._kind), head, own, need, use, why,
            size, body,
        )  # fmt: skip
        nowhere = np.zeros(self._size, np.int32)
        return Chart(
            graph,
            self._together(),
            Names(pa.concat_arrays([pc.cast(one, pa.large_string()) for one in self._names])),
            Places([""], nowhere, nowhere, nowhere),
            np.zeros(self._size, np.uint8),
            self._marked(self._person),
            self._marked(self._privileged),
        )

    def _together(self) -> Ways:
        columns = {name: np.concatenate([block[name] for block in self._ways]) for name in _TYPES}
        order = np.argsort(columns["vertex"], kind="stable")
        columns = {name: column[order] for name, column in columns.items()}
        primary = columns["role"] == Role.PRIMARY.value
        row_of = np.full(self._size, -1, np.int32)
        row_of[columns["identity"][primary]] = np.flatnonzero(primary)
        columns["primary"] = row_of[columns["identity"]]
        return Ways(**columns)

    def _marked(self, parts: list[Vertices]) -> NDArray[np.uint8]:
        mark = np.zeros(self._size, np.uint8)
        for part in parts:
            mark[part] = 1
        return mark
