"""Choose how the loops run: as they stand for a small graph, compiled for a large one.

Compiling takes seconds the first time on a machine, which an estate of sixty identities in a
pipeline should not pay; the source is one and the same, but for one loop that would take a fifth of
the time of a small graph.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from locum.estate.graph import kernel, kernel_losses

COMPILED_FROM = 20_000
"""Arcs from which on compiling is worth its while."""

_LOOPS: tuple[Callable[..., Any], ...] = (
    kernel.arc_word,
    kernel.weaken,
    kernel.falls_from,
    kernel.falls_of_all,
    kernel.lead_on,
    kernel.falls_together,
    kernel.count_falls,
    kernel_losses.lossy_arc,
    kernel_losses.same,
    kernel_losses.look_for_losses,
)


def loops(arcs: int) -> SimpleNamespace:
    """The loops for a graph of so many arcs, by name."""
    return _compiled() if is_large(arcs) else _as_they_stand()


def is_large(arcs: int) -> bool:
    """Whether a graph of so many arcs is worth compiling for."""
    return arcs >= COMPILED_FROM


@cache
def _as_they_stand() -> SimpleNamespace:
    as_they_stand = {one.__name__: one for one in _LOOPS}
    return SimpleNamespace(**as_they_stand | {"count_falls": kernel.count_falls_at_once})


@cache
def _compiled() -> SimpleNamespace:
    from numba import njit  # takes half a second: only where needed

    together: dict[str, Any] = {}
    for module in (kernel, kernel_losses):
        together |= {name: one for name, one in vars(module).items() if name.isupper()}
    together["np"] = np
    for one in _LOOPS:
        assert isinstance(one, FunctionType)
        bound = FunctionType(one.__code__, together, one.__name__)
        bound.__module__, bound.__qualname__ = one.__module__, one.__qualname__
        together[one.__name__] = njit(cache=True, nogil=True)(bound)
    return SimpleNamespace(**{one.__name__: together[one.__name__] for one in _LOOPS})
