"""Which ways are of a kind that a rule is about: masks over the columns of ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.solved import Solved, is_below
from locum.estate.graph.chart import METHODS, Chart
from locum.estate.graph.ways import (
    ACTIVE,
    LIVES_LONG,
    NEVER_SEEN,
    SIGNS_IN_ELSEWHERE,
    UNSAID,
)
from locum.estate.inventory import Role

DAY = 24 * 60
YEAR, QUARTER = 365 * DAY, 90 * DAY
"""In minutes: how old a secret may be, and how long it may lie unused."""
_CERTIFICATES = ("x509-certificate", "spiffe-x509-svid", "backup-certificate")
_BOUND = (*_CERTIFICATES, "spiffe-jwt-svid", "oidc-workload-token", "oauth-token-dpop")
_SECRETS = ("api-key", "password", "vaulted-secret", "ssh-key")

Mask = NDArray[np.bool_]
"""Which of the ways or vertices."""


def active(chart: Chart) -> Mask:
    """Which ways work."""
    mask: Mask = (chart.ways.flags & ACTIVE) != 0
    return mask


def of_methods(chart: Chart, names: tuple[str, ...]) -> Mask:
    """Which ways have one of these methods."""
    return np.isin(chart.ways.method, [METHODS.index(name) for name in names])


def _of_primary(chart: Chart, names: tuple[str, ...]) -> Mask:
    primary = chart.ways.primary
    mask: Mask = of_methods(chart, names)[primary] & (primary >= 0)
    return mask


def beside(chart: Chart) -> Mask:
    """Long-lived secrets of machines whose primary is bound or short-lived."""
    ways = chart.ways
    mask: Mask = (
        active(chart)
        & (ways.role == Role.FOUND.value)
        & ((ways.flags & LIVES_LONG) != 0)
        & of_methods(chart, _SECRETS)
        & ~((ways.ends >= 0) & (ways.created >= 0) & (ways.ends - ways.created <= QUARTER))
        & (chart.person[ways.identity] == 0)
        & _of_primary(chart, _BOUND)
    )
    return mask


def local_administrators(chart: Chart) -> Mask:
    """Passwords of privileged identities that an identity provider vouches for otherwise."""
    ways = chart.ways
    elsewhere = (ways.flags & SIGNS_IN_ELSEWHERE) != 0
    mask: Mask = (
        active(chart)
        & (ways.role == Role.FOUND.value)
        & of_methods(chart, ("password",))
        & (chart.privileged[ways.identity] != 0)
        & elsewhere[ways.primary]
        & ~elsewhere
    )
    return mask


def outlived(chart: Chart) -> Mask:
    """Certificates that are still attached beside a newer primary certificate, where both say."""
    ways = chart.ways
    mask: Mask = (
        active(chart)
        & (ways.role == Role.FOUND.value)
        & of_methods(chart, _CERTIFICATES)
        & _of_primary(chart, _CERTIFICATES)
        & (ways.created != UNSAID)
        & (ways.created < ways.created[ways.primary])
    )
    return mask


def second_keys(chart: Chart) -> Mask:
    """Every active key, password or certificate of an identity but the newest of its kind.

    People have an SSH key on each of their machines, and certificates overlap in a rotation.
    """
    ways = chart.ways
    machine = chart.person[ways.identity] == 0
    kind = np.zeros(len(ways), np.uint8)
    for number, names in enumerate((("api-key",), ("password",), ("vaulted-secret",)), 1):
        kind[of_methods(chart, names)] = number
    kind[of_methods(chart, ("ssh-key",)) & machine] = 4
    kind[of_methods(chart, _CERTIFICATES) & (ways.role == Role.FOUND.value) & machine] = 5
    rows = np.flatnonzero(active(chart) & (kind > 0) & (ways.role != Role.DECLARED.value))
    # Of one identity the primary comes first, then the newest; all after the first are too many.
    created = -ways.created[rows].astype(np.int64)
    order = np.lexsort((created, ways.role[rows], kind[rows], ways.identity[rows]))
    ordered = rows[order]
    again = np.zeros(len(ways), bool)
    same = ways.identity[ordered[1:]] == ways.identity[ordered[:-1]]
    again[ordered[1:]] = same & (kind[ordered[1:]] == kind[ordered[:-1]])
    return again


def circular(chart: Chart, solved: Solved) -> Mask:
    """Ways that are lost with the identity that they recover."""
    ways, lost = chart.ways, solved.losses
    length = np.maximum(lost.length[ways.vertex], 0)
    start = lost.start[ways.vertex]
    offset = np.cumsum(length) - length
    inside = np.repeat(start - offset, length) + np.arange(int(length.sum()))
    same = lost.pool[inside] == np.repeat(ways.identity, length)
    row = np.repeat(np.arange(len(ways)), length)
    circle = np.zeros(len(ways), bool)
    circle[row[same]] = True
    mask: Mask = circle & (ways.role != Role.PRIMARY.value) & active(chart)
    return mask


def weaker(chart: Chart, solved: Solved) -> Mask:
    """Ways that are weaker than their primary, with everything that both rest on.

    Asked twice: with all fallbacks, and with primaries alone. A fallback of whoever administers
    the issuer weakens everybody's primary, its own as well, and would not be below it.
    """
    ways = chart.ways
    primary = ways.vertex[ways.primary]
    below = is_below(solved.value[ways.vertex], solved.value[primary])
    below |= is_below(solved.alone[ways.vertex], solved.alone[primary])
    mask: Mask = below & active(chart) & (ways.role != Role.PRIMARY.value) & (ways.primary >= 0)
    return mask


def beside_unknown(chart: Chart) -> Mask:
    """Ways beside a primary of which nobody knows what it is, so that it bounds none of them."""
    ways = chart.ways
    mask: Mask = active(chart) & (ways.role != Role.PRIMARY.value) & _of_primary(chart, ("",))
    return mask


def unused(chart: Chart, now: int) -> Mask:
    """What was found and is not used, for a quarter or ever."""
    ways = chart.ways
    idle = (ways.used == NEVER_SEEN) | ((ways.used >= 0) & (ways.used < now - QUARTER))
    mask: Mask = active(chart) & (ways.role == Role.FOUND.value) & idle
    return mask
