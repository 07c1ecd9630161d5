"""Find what is wrong, all of an estate at once, in columns.

Each detector is a mask over ways or vertices, so that an estate of a million costs what its
columns weigh. What a finding says in words is made later, for those that somebody reads.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.approving import quorums
from locum.estate.analysis.rules import Rule
from locum.estate.analysis.solved import Solved, levels
from locum.estate.analysis.undermined import undermining
from locum.estate.analysis.which_ways import (
    DAY,
    YEAR,
    Mask,
    active,
    beside,
    beside_unknown,
    circular,
    local_administrators,
    outlived,
    second_keys,
    unused,
    weaker,
)
from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Kind
from locum.estate.graph.kernel_losses import EVERYTHING, TOO_MANY
from locum.estate.graph.solving import Falls
from locum.estate.graph.ways import (
    CHECKS_UNSAID,
    LIVES_LONG,
    NEVER_SEEN,
    NO_APPROVALS,
    REVIEWABLE,
    UNSAID,
    WIDER,
)
from locum.estate.inventory import Role

_SUPPORTS = [int(Kind.IDENTITY), *(int(kind) for kind in Kind if kind >= Kind.DEVICE)]


class Findings(msgspec.Struct, frozen=True):
    """Findings in columns, each of length F.

    Args:
        rule: uint8, a `Rule`.
        vertex: int32, what it concerns.
        row: int32, the way that it concerns, or -1.
        about: int32, the vertex that it comes from, or -1.
        count: int32, how many identities it reaches.
        privileged: uint8, whether it reaches one that may change others.
    """

    rule: NDArray[np.uint8]
    vertex: NDArray[np.int32]
    row: NDArray[np.int32]
    about: NDArray[np.int32]
    count: NDArray[np.int32]
    privileged: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.rule)


class _Found:
    """Findings being collected; those of one rule come together."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._parts: list[tuple[NDArray[np.int64], ...]] = []

    def add(
        self,
        rule: Rule,
        vertex: NDArray[np.int32],
        row: NDArray[np.int64] | int = -1,
        about: NDArray[np.int32] | int = -1,
        count: NDArray[np.int64] | int = 1,
        privileged: Mask | None = None,
    ) -> None:
        """Add findings of one rule.

        Args:
            privileged: whom they reach; without it, the identity that they concern.
        """
        if not len(vertex) and self._parts:
            return
        whom = vertex if isinstance(row, int) else self._chart.ways.identity[row]
        grave = self._chart.privileged[whom] if privileged is None else privileged
        size = len(vertex)
        self._parts.append(
            tuple(
                np.broadcast_to(np.asarray(one, np.int64), (size,))
                for one in (int(rule), vertex, row, about, count, grave)
            )
        )

    def together(self) -> Findings:
        whole = zip(*self._parts, strict=True)
        kinds = (np.uint8, np.int32, np.int32, np.int32, np.int32, np.uint8)
        return Findings(
            *(
                np.concatenate(column).astype(kind)
                for column, kind in zip(whole, kinds, strict=True)
            )
        )


def detect(chart: Chart, solved: Solved, now: int) -> Findings:
    """Everything that is wrong.

    Args:
        now: minutes since 1970.
    """
    found = _Found(chart)
    if not len(chart.ways):  # nobody gets in, so nothing is wrong with how
        found.add(Rule.WEAKER_BEHIND, np.empty(0, np.int32))
        return found.together()
    _weaker(chart, solved, found)
    _undermined(chart, solved, found)
    _single_compromises(chart, solved, found)
    _single_losses(chart, solved, found)
    _out_of_reach(chart, solved, found)
    _people(chart, solved, found)
    _unknown(chart, solved, found)
    _kept_too_long(chart, found, now)
    _unseen(chart, found, now)
    return found.together()


def _add_rows(chart: Chart, found: _Found, rule: Rule, mask: Mask) -> None:
    rows = np.flatnonzero(mask)
    found.add(rule, chart.ways.vertex[rows], rows)


def _add_roots(
    chart: Chart, found: _Found, rule: Rule, roots: NDArray[np.int32], fallen: Falls
) -> None:
    """Findings about things in the world, by themselves and what falls with each alone."""
    at = np.searchsorted(fallen.roots, roots)
    privileged = (fallen.privileged[at] | chart.privileged[roots]) != 0
    found.add(rule, roots, count=fallen.reach[at], privileged=privileged)


def _weaker(chart: Chart, solved: Solved, found: _Found) -> None:
    plain, local = beside(chart), local_administrators(chart)
    old = outlived(chart)
    second = second_keys(chart) & ~old & ~local
    _add_rows(chart, found, Rule.CIRCLE, circular(chart, solved))
    _add_rows(chart, found, Rule.LONG_LIVED_BESIDE, plain)
    _add_rows(chart, found, Rule.LOCAL_ADMINISTRATOR, local)
    _add_rows(chart, found, Rule.OUTLIVED, old)
    _add_rows(chart, found, Rule.SECOND_KEY, second)
    rest = weaker(chart, solved) & ~(plain | local | old | second)
    _add_rows(chart, found, Rule.WEAKER_BEHIND, rest)
    _add_rows(chart, found, Rule.WIDER, active(chart) & ((chart.ways.flags & WIDER) != 0))
    _add_rows(chart, found, Rule.CHECKS_DROPPED, active(chart) & (chart.ways.lacks > 0) & ~local)
    unsaid = active(chart) & ((chart.ways.flags & CHECKS_UNSAID) != 0) & ~local
    _add_rows(chart, found, Rule.CHECKS_UNKNOWN, unsaid)


def _undermined(chart: Chart, solved: Solved, found: _Found) -> None:
    """Roots that are weaker than the primaries that rest on them, each root once."""
    drops = undermining(chart, solved)
    vertices = chart.graph.vertices
    pairs = np.unique(drops.root.astype(np.int64) * vertices + drops.identity)
    roots, identity = np.divmod(pairs, vertices)
    root, count = np.unique(roots, return_counts=True)
    reached = np.unique(roots[chart.privileged[identity] != 0])
    found.add(
        Rule.UNDERMINED, root.astype(np.int32), count=count, privileged=np.isin(root, reached)
    )


def _single_compromises(chart: Chart, solved: Solved, found: _Found) -> None:
    fallen, ways = solved.falls, chart.ways
    factors = levels()[0]
    primary = np.flatnonzero((ways.role == Role.PRIMARY.value) & active(chart))
    label = factors[solved.label[ways.vertex[primary]]]
    identity = ways.identity[primary]
    worst = fallen.worst[identity]
    hit = (worst >= 0) & (label >= 2) & (factors[solved.value[identity]] < 2)
    roots, inverse, count = np.unique(worst[hit], return_inverse=True, return_counts=True)
    few = count[inverse] == 1
    found.add(Rule.ONE_ROOT, identity[hit][few], primary[hit][few], worst[hit][few])
    many = count > 1
    _add_roots(chart, found, Rule.ONE_ROOT_FOR_MANY, roots[many], fallen)


def _single_losses(chart: Chart, solved: Solved, found: _Found) -> None:
    ways, lost, graph = chart.ways, solved.losses, chart.graph
    rows = np.flatnonzero((ways.role == Role.PRIMARY.value) & active(chart))
    identity = ways.identity[rows]
    length = np.maximum(lost.length[identity], 0)
    offset = np.cumsum(length) - length
    inside = np.repeat(lost.start[identity] - offset, length) + np.arange(int(length.sum()))
    thing, whose = lost.pool[inside], np.repeat(identity, length)
    count = np.bincount(thing, minlength=graph.vertices)
    shared = np.flatnonzero((count > 1) & np.isin(graph.kind, _SUPPORTS)).astype(np.int32)
    reached = np.unique(thing[chart.privileged[whose] != 0])
    found.add(
        Rule.LOCK_OUT_OF_MANY, shared, count=count[shared], privileged=np.isin(shared, reached)
    )
    others = np.zeros(graph.vertices, bool)
    others[ways.identity[(ways.role != Role.PRIMARY.value) & active(chart)]] = True
    single = others[whose] & (count[thing] == 1) & (graph.kind[thing] != Kind.AUTHENTICATOR)
    single |= others[whose] & (count[thing] == 1) & ~_has_other(whose, graph.kind[thing])
    # The first by name, so that a finding stays the same in whatever order an estate is written.
    thing, whose = thing[single], whose[single]
    order = _by_name(chart, whose, thing)
    whom, first = np.unique(whose[order], return_index=True)
    found.add(Rule.LOCK_OUT, whom, about=thing[order][first])
    too_many = identity[others[identity] & (lost.length[identity] == TOO_MANY)]
    found.add(Rule.LOCK_OUT, too_many)
    alone = (chart.person[identity] != 0) & ~others[identity]
    found.add(Rule.NO_WAY_BACK, identity[alone], rows[alone])


def _by_name(chart: Chart, whose: NDArray[np.int32], thing: NDArray[np.int32]) -> NDArray[np.int64]:
    """The order of things by whose they are, then by their names."""
    things, place = np.unique(thing, return_inverse=True)
    ordered = sorted(range(len(things)), key=lambda at: str(chart.names[int(things[at])]))
    rank = np.empty(len(things), np.int64)
    rank[ordered] = np.arange(len(things))
    return np.lexsort((rank[place], whose))


def _out_of_reach(chart: Chart, solved: Solved, found: _Found) -> None:
    """Identities that nobody can enter, and single ways that nobody can open.

    Too few approvers are told as such.
    """
    ways = chart.ways
    gone = solved.losses.length == EVERYTHING
    primary = ways.role == Role.PRIMARY.value
    shut = active(chart) & gone[ways.vertex] & (ways.spare >= 0)
    found.add(Rule.OPENS_NOTHING, ways.identity[active(chart) & primary & gone[ways.identity]])
    _add_rows(chart, found, Rule.OPENS_NOTHING, shut & ~(primary & gone[ways.identity]))


def _has_other(whose: NDArray[np.int32], kind: NDArray[np.uint8]) -> Mask:
    """Whether something more basic than an authenticator is lost to the same identity."""
    basic = np.zeros(int(whose.max(initial=0)) + 1, bool)
    basic[whose[kind != Kind.AUTHENTICATOR]] = True
    return basic[whose]


def _people(chart: Chart, solved: Solved, found: _Found) -> None:
    ways = chart.ways
    needs = (ways.spare != NO_APPROVALS) & active(chart)
    _add_rows(chart, found, Rule.APPROVER_ALONE, needs & (ways.spare < 0))
    _add_rows(chart, found, Rule.NO_QUORUM, needs & (ways.spare == 0))
    rows = np.flatnonzero(needs & (ways.asked >= 0) & (ways.spare >= 0))
    root = solved.falls.worst[ways.asked[rows]]
    both = root >= 0
    found.add(Rule.APPROVER_RESTS_ON_REQUESTER, ways.vertex[rows[both]], rows[both], root[both])
    quorum, asking = quorums(chart, solved.around.head)
    root = solved.falls.worst[quorum]
    one = (root >= 0) & needs[asking] & (ways.spare[asking] >= 0)
    one &= solved.falls.worst[ways.asked[asking]] < 0
    whose, first = np.unique(asking[one], return_index=True)
    found.add(Rule.APPROVERS_ARE_ONE, ways.vertex[whose], whose, root[one][first])


def _unknown(chart: Chart, solved: Solved, found: _Found) -> None:
    unknown = np.flatnonzero(chart.unknown).astype(np.int32)
    _add_roots(chart, found, Rule.UNKNOWN_ROOT, unknown, solved.falls)
    primaries = chart.ways.primary[beside_unknown(chart)].astype(np.int64)
    rows, count = np.unique(primaries, return_counts=True)
    found.add(Rule.UNKNOWN_PRIMARY, chart.ways.identity[rows], rows, count=count)


def _kept_too_long(chart: Chart, found: _Found, now: int) -> None:
    ways = chart.ways
    lives = active(chart) & ((ways.flags & LIVES_LONG) != 0)
    endless = (ways.ends == NEVER_SEEN) | (ways.ends == UNSAID)
    goes = beside(chart) | local_administrators(chart) | second_keys(chart)
    old = (ways.created >= 0) & (ways.created < now - YEAR)
    _add_rows(chart, found, Rule.OLD, lives & old & ~goes)
    _add_rows(chart, found, Rule.NEVER_ENDS, lives & endless & ~old & ~goes)


def _unseen(chart: Chart, found: _Found, now: int) -> None:
    ways = chart.ways
    works = active(chart)
    declared = works & (ways.role == Role.DECLARED.value)
    reviewable = ((ways.flags & REVIEWABLE) != 0) & (ways.used >= 0) & (ways.reviewed != UNSAID)
    _add_rows(
        chart,
        found,
        Rule.UNREVIEWED,
        reviewable & (ways.reviewed < ways.used) & (ways.used < now - ways.review_within),
    )
    late = (ways.drilled >= 0) & (ways.drill_days > 0)
    late &= ways.drilled.astype(np.int64) + ways.drill_days.astype(np.int64) * DAY < now
    _add_rows(chart, found, Rule.NEVER_DRILLED, declared & ((ways.drilled == NEVER_SEEN) | late))
    untold = ((ways.flags & REVIEWABLE) != 0) & (ways.used >= 0) & (ways.reviewed == UNSAID)
    untold |= (ways.drill_days > 0) & (ways.drilled == UNSAID)
    _add_rows(chart, found, Rule.PAST_UNKNOWN, declared & untold)
    _add_rows(chart, found, Rule.UNUSED, unused(chart, now))
    _add_rows(chart, found, Rule.OWNERLESS, works & ~declared & (ways.owned == 0))
