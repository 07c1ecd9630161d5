"""Single losses: for each vertex the set of things without any one of which it is out of reach.

`losses(v)` is, over its alternatives, the intersection of what each rests on: the dominators of
the AND/OR graph seen from availability. Sets start as "everything" and only shrink, so a circle
supports nobody. They stand one after another in a pool; a vertex holds where its own begins.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np

OPENS = 2
EVERYTHING, TOO_MANY = -1, -2
"""Lengths that are no lengths: not reached yet, and more than the limit."""


def lossy_arc(
    a, limit, need, body_first, body, losable, start, length, pool, out, times, hit, mark
):
    """The things without any one of which this arc gives nothing, into `out`; returns how many.

    Something is lost to an arc that needs `need` of its body where fewer than that are left.
    """
    low, high = body_first[a], body_first[a + 1]
    wanted = need[a] if need[a] != 0 else high - low
    spare = high - low - wanted
    if spare < 0:
        return EVERYTHING
    count, unreached = 0, 0
    for i in range(low, high):
        if length[body[i]] == EVERYTHING:
            unreached += 1
    if unreached > spare:
        return EVERYTHING
    spare -= unreached
    for i in range(low, high):
        b = body[i]
        if length[b] == EVERYTHING:
            continue
        if length[b] == TOO_MANY:
            return TOO_MANY
        for j in range(-1, length[b]):
            if j < 0 and not losable[b]:
                continue
            x = b if j < 0 else pool[start[b] + j]
            if hit[x] != mark:
                hit[x] = mark
                times[x] = 0
            times[x] += 1
            if times[x] == spare + 1:
                if count == limit:
                    return TOO_MANY
                out[count] = x
                count += 1
    return count


def look_for_losses(
    todo, moved, changed, first, need, use, body_first, body, losable, limit,
    start, length, pool, used, times, hit, mark,
):  # fmt: skip
    """Look at some vertices, in order, and put those whose sets changed into `moved`.

    Returns:
        (changed, used, mark, full): how many changed, how much of the pool is used, the last mark,
        and the place in `todo` at which the pool was full, or -1.
    """
    mine = np.empty(limit, np.int32)
    other = np.empty(limit, np.int32)
    for t in range(len(todo)):
        v = todo[t]
        have = EVERYTHING
        opened = False
        for a in range(first[v], first[v + 1]):
            if not use[a] & OPENS:
                continue
            opened = True
            mark += 1
            if have == EVERYTHING:
                have = lossy_arc(
                    a, limit, need, body_first, body, losable,
                    start, length, pool, mine, times, hit, mark,
                )  # fmt: skip
                continue
            count = lossy_arc(
                a, limit, need, body_first, body, losable,
                start, length, pool, other, times, hit, mark,
            )  # fmt: skip
            if count == EVERYTHING or have == 0:
                continue
            if count == 0 or count == TOO_MANY or have == TOO_MANY:
                have = 0 if count == 0 else TOO_MANY
                continue
            mark += 1
            for i in range(count):
                hit[other[i]] = mark
            kept = 0
            for i in range(have):
                if hit[mine[i]] == mark:
                    mine[kept] = mine[i]
                    kept += 1
            have = kept
        if not opened:
            have = 0
        if have > 1:
            mine[:have].sort()
        if have == length[v] and (have <= 0 or same(pool, start[v], mine, have)):
            continue
        if have > 0:
            if used + have > len(pool):
                return changed, used, mark, t
            start[v] = used
            for i in range(have):
                pool[used + i] = mine[i]
            used += have
        length[v] = have
        moved[changed] = v
        changed += 1
    return changed, used, mark, -1


def same(pool, start, mine, have):
    """Whether a vertex's set is what it was; sets are sorted."""
    return np.array_equal(pool[start : start + have], mine[:have])
