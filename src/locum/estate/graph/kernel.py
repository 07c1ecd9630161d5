"""The loops over the columns. Plain Python on arrays; `running` compiles them for large graphs.

Every loop is a fixpoint that starts where nothing is derived and only takes what a finite
derivation gives, so a cycle supports nothing.
"""

# No annotations from here on: the compiler reads these functions, and types come with the arrays.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from __future__ import annotations

import numpy as np

TAKES, OPENS = 1, 2
ASKED = 0x1FFF  # everything of an arc's own but proofing, which nobody brings along
ALL = np.uint16(0xFFFF)
PREFERRED = 1 << 40  # more than any reach


def arc_word(a, own, need, body_first, body, value):
    """What one arc gives: its own, joined with its body, or with the weakest `need` of it."""
    low, high = body_first[a], body_first[a + 1]
    wanted = need[a]
    if wanted == 0 or wanted >= high - low:
        if wanted > high - low:
            return ALL
        word = own[a]
        for i in range(low, high):
            word = word | value[body[i]]
        return word
    reached = np.zeros(wanted + 1, np.uint16)
    reached[0] = ALL
    for i in range(low, high):
        clear = ALL ^ value[body[i]]
        for j in range(wanted, 0, -1):
            reached[j] = reached[j] | (reached[j - 1] & clear)
    return own[a] | (ALL ^ reached[wanted])


def weaken(value, todo, moved, first, own, need, use, body_first, body):
    """Look at some vertices, in order. Returns how many are weaker; `moved` begins with them."""
    changed = 0
    for t in range(len(todo)):
        v = todo[t]
        word = value[v]
        if word == 0:
            continue
        before = word
        for a in range(first[v], first[v + 1]):
            if not use[a] & TAKES:
                continue
            low = body_first[a]
            if body_first[a + 1] == low + 1 and need[a] <= 1:
                word = word & (own[a] | value[body[low]])
            else:
                word = word & arc_word(a, own, need, body_first, body, value)
        if word != before:
            value[v] = word
            moved[changed] = v
            changed += 1
    return changed


def falls_from(
    root,
    limit,
    stamp,
    own,
    need,
    use,
    body_first,
    out_first,
    out_arc,
    head,
    seen,
    hit,
    times,
    queue,
):
    """What falls if `root` alone is taken: fills `queue`, returns how many, or -1 past `limit`.

    `seen` and `hit` carry the stamp of the root that was asked last, so nothing is ever cleared.
    """
    queue[0] = root
    seen[root] = stamp
    count, at = 1, 0
    while at < count:
        v = queue[at]
        at += 1
        for i in range(out_first[v], out_first[v + 1]):
            a = out_arc[i]
            if not use[a] & TAKES or own[a] & ASKED != 0:
                continue
            h = head[a]
            if seen[h] == stamp:
                continue
            if hit[a] != stamp:
                hit[a] = stamp
                times[a] = 0
            times[a] += 1
            size = body_first[a + 1] - body_first[a]
            wanted = need[a] if need[a] != 0 else size
            if times[a] < wanted:
                continue
            if count == limit:
                return -1
            seen[h] = stamp
            queue[count] = h
            count += 1
    return count


def falls_of_all(
    roots,
    limit,
    own,
    need,
    use,
    body_first,
    out_first,
    out_arc,
    head,
    watched,
    low,
    reach,
    privileged,
    alone,
    worst,
    most,
):
    """For each root how many identities fall with it, and for each identity which roots suffice.

    Args:
        watched: uint8[V], 1 for an identity, 3 for a privileged one, 2 for what is watched and
            not counted.
        low: uint8[V], the root is worth fewer than two factors.
        reach: int64[R], filled: identities that fall; -1 where more than `limit` vertices do.
        privileged: uint8[R], filled: whether a privileged identity falls.
        alone: int32[V], added to: how many roots suffice alone.
        worst: int32[V], filled: a root that suffices alone, for an identity one of `low`: an
            identity before other things, and of several the one of the largest reach.
        most: int64[V], that reach, and `PREFERRED` more for an identity; -1 where there is none.
    """
    vertices = len(out_first) - 1
    seen = np.full(vertices, -1, np.int32)
    hit = np.full(len(own), -1, np.int32)
    times = np.zeros(len(own), np.uint8)
    queue = np.empty(limit + 1, np.int32)
    for r in range(len(roots)):
        root = roots[r]
        count = falls_from(
            root, limit, r, own, need, use, body_first,
            out_first, out_arc, head, seen, hit, times, queue,
        )  # fmt: skip
        if count < 0:
            reach[r] = -1
            continue
        total = 0
        for i in range(count):
            v = queue[i]
            if watched[v] == 0 or v == root:
                continue
            if watched[v] & 1:
                total += 1
            if watched[v] == 3:
                privileged[r] = 1
        reach[r] = total
        grave = total + PREFERRED * (watched[root] & 1 != 0)
        for i in range(count):
            v = queue[i]
            if watched[v] == 0 or v == root:
                continue
            alone[v] += 1
            if (low[root] or watched[v] == 2) and grave > most[v]:
                worst[v], most[v] = root, grave


def lead_on(changed, out_first, out_arc, head, led):
    """Mark the vertices to which an arc leads from what has changed; `led` is filled."""
    for i in range(len(changed)):
        v = changed[i]
        for k in range(out_first[v], out_first[v + 1]):
            led[head[out_arc[k]]] = True


def falls_together(mask, todo, moved, first, own, need, use, body_first, body):
    """Sixty-four roots at once, a bit each: look at some vertices, in order.

    Returns how many changed; `moved` begins with them.
    """
    changed = 0
    everyone = np.uint64(0xFFFFFFFFFFFFFFFF)
    for t in range(len(todo)):
        v = todo[t]
        word = mask[v]
        before = word
        for a in range(first[v], first[v + 1]):
            if not use[a] & TAKES or own[a] & ASKED != 0:
                continue
            low, high = body_first[a], body_first[a + 1]
            wanted = need[a]
            if wanted == 0 or wanted >= high - low:
                if wanted > high - low or high == low:
                    continue
                together = everyone
                for i in range(low, high):
                    together = together & mask[body[i]]
                word = word | together
                continue
            reached = np.zeros(wanted + 1, np.uint64)
            reached[0] = everyone
            for i in range(low, high):
                for j in range(wanted, 0, -1):
                    reached[j] = reached[j] | (reached[j - 1] & mask[body[i]])
            word = word | reached[wanted]
        if word != before:
            mask[v] = word
            moved[changed] = v
            changed += 1
    return changed


def count_falls(mask, watched, roots, low, reach, privileged, alone, worst, most):
    """Read what sixty-four roots brought down into the same columns as `falls_of_all`."""
    one, none = np.uint64(1), np.uint64(0)
    for v in range(len(mask)):
        if not watched[v] & 1 or mask[v] == none:
            continue
        for r in range(len(roots)):
            if (mask[v] >> np.uint64(r)) & one != none and roots[r] != v:
                reach[r] += 1
                if watched[v] == 3:
                    privileged[r] = 1
    for v in range(len(mask)):
        if watched[v] == 0 or mask[v] == none:
            continue
        for r in range(len(roots)):
            if (mask[v] >> np.uint64(r)) & one == none or roots[r] == v:
                continue
            alone[v] += 1
            grave = reach[r] + PREFERRED * (watched[roots[r]] & 1 != 0)
            if (low[roots[r]] or watched[v] == 2) and grave > most[v]:
                worst[v], most[v] = roots[r], grave


def count_falls_at_once(mask, watched, roots, low, reach, privileged, alone, worst, most):
    """The same as `count_falls`, for a small graph: a table of vertices and roots."""
    seen = np.flatnonzero((watched != 0) & (mask != 0))
    bits = mask[seen, None] >> np.arange(len(roots), dtype=np.uint64)
    fell = (bits & np.uint64(1) != 0) & (roots != seen[:, None])
    kind = watched[seen]
    reach += fell[kind & 1 != 0].sum(axis=0)
    privileged |= fell[kind == 3].any(axis=0)
    alone[seen] += fell.sum(axis=1)
    grave = reach + PREFERRED * (watched[roots] & 1 != 0)
    suffices = fell & ((low[roots] != 0) | (kind == 2)[:, None])
    ranked = np.where(suffices, grave, -1)
    first = ranked.argmax(axis=1)
    gravest = ranked[np.arange(len(seen)), first]
    more = gravest > most[seen]
    worst[seen[more]] = roots[first[more]]
    most[seen[more]] = gravest[more]
