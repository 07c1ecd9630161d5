"""Vertices by their names, for charts that are joined: shared ones once, identities by part.

Names stay in Arrow columns, and each name is there once: that is most of what a join remembers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_BLOCK = 1 << 18
_NAMES = pa.large_string()


class SharedVertices:
    """Shared vertices as they are met: each name once, as weak as it is said anywhere."""

    def __init__(self) -> None:
        self._names: list[pa.LargeStringArray] = []
        self._count = 0
        self._columns: dict[str, NDArray[Any]] = {}

    def add(
        self, names: pa.LargeStringArray, columns: dict[str, NDArray[Any]]
    ) -> NDArray[np.int32]:
        """Take up some vertices; returns the draft of each, its number among all met so far.

        Where one is defined more than once, the weaker of both holds; where it is defined first is
        its place.

        Args:
            names: each once.
            columns: beside them, `base`, `unknown` and others.
        """
        drafts = np.full(len(names), -1, np.int32)
        # Asked this way round, because a search makes a table of what is searched for.
        found = pc.index_in(pa.chunked_array(self._names, _NAMES), value_set=names)
        hits = np.flatnonzero(found.is_valid().to_numpy())
        drafts[found.take(pa.array(hits)).to_numpy()] = hits
        known = drafts >= 0
        drafts[~known] = self._count + np.arange(np.count_nonzero(~known))
        self._names.append(names.filter(pa.array(~known)))
        self._count += len(self._names[-1])
        if not self._columns:
            self._columns = columns
            return drafts
        self._meet(drafts[known], {name: column[known] for name, column in columns.items()})
        self._columns = {
            name: np.concatenate([column, columns[name][~known]])
            for name, column in self._columns.items()
        }
        return drafts

    def _meet(self, drafts: NDArray[np.int32], said: dict[str, NDArray[Any]]) -> None:
        """Put what is said again together with what was said before."""
        before = {name: column[drafts] for name, column in self._columns.items()}
        defined = said["unknown"] == 0
        first = defined & (before["unknown"] == 1)
        again = defined & (before["unknown"] == 0)
        self._columns["base"][drafts[again]] &= said["base"][again]
        for name, column in self._columns.items():
            column[drafts[first]] = said[name][first]

    def finish(self) -> tuple[pa.LargeStringArray, dict[str, NDArray[Any]]]:
        """Names and columns by draft."""
        return pa.concat_arrays(self._names), self._columns


class Identities:
    """The identities of all parts, with their vertices and the rows of their primaries."""

    def __init__(self) -> None:
        self._names: list[pa.LargeStringArray] = []
        self._vertices: list[NDArray[np.int64]] = []
        self._rows: list[NDArray[np.int32]] = []

    def add(
        self, names: pa.LargeStringArray, vertices: NDArray[np.int64], rows: NDArray[np.int32]
    ) -> None:
        """Take up a part's identities; a row is -1 where there is no primary."""
        self._names.append(names)
        self._vertices.append(vertices.astype(np.int32))
        self._rows.append(rows)

    def finish(self) -> AllIdentities:
        """Everything in one column each."""
        names = pa.concat_arrays(self._names)
        self._names.clear()
        return AllIdentities(names, np.concatenate(self._vertices), np.concatenate(self._rows))


class AllIdentities:
    """The identities of all parts in columns."""

    def __init__(
        self, names: pa.LargeStringArray, vertices: NDArray[np.int32], rows: NDArray[np.int32]
    ) -> None:
        self._names, self._vertices, self._rows = names, vertices, rows

    def first_twice(self) -> str | None:
        """A name that stands twice, if there is one; sorted, because that takes least memory."""
        order = pc.array_sort_indices(self._names)
        for at in range(0, len(order) - 1, _BLOCK):
            block = self._names.take(order[at : at + _BLOCK + 1])
            same = pc.equal(block[1:], block[:-1]).to_numpy(zero_copy_only=False)
            if same.any():
                return str(block[int(np.argmax(same))])
        return None

    def of(self, names: pa.LargeStringArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The vertex and the primary's row of each name; -1 where it is no identity here."""
        vertices = np.full(len(names), -1, np.int32)
        rows = np.full(len(names), -1, np.int32)
        no_root = pc.invert(pc.match_substring(names, ":"))
        where = np.flatnonzero(no_root.to_numpy(zero_copy_only=False))
        found = pc.index_in(self._names, value_set=names.filter(no_root))
        hits = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        at = where[found.take(pa.array(hits)).to_numpy()]
        vertices[at], rows[at] = self._vertices[hits], self._rows[hits]
        return vertices, rows
