"""Strength in sixteen bits, so that a whole estate's fits into the processor's cache.

A bit says "this attacker does not get in", so what is needed together is `|`, alternatives are `&`,
and `0xFFFF` is no way in at all. Bits 0-7 stand for the subsets of {known, held, inherent}: bit S
is set where holding exactly the kinds S is not enough. A set of alternatives keeps its kinds that
way: {known} or {held} is one factor, {known} and {held} are two, and one root never counts twice,
because it brings one kind however often it is needed. Bits 8-9 are phishing, 10-12 binding, 13-15
proofing, each in unary. The lattice of strengths (design §3) embeds in this one, so solving it bit
by bit is exact for every component. Source: design §3; free distributive lattice on three kinds.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from locum.model.methods import FactorKind, Method
from locum.model.strength import Binding, Factors, Phishing, Proofing, Strength

Word = int
"""A strength in sixteen bits."""

WEAKEST: Word = 0
"""What an unknown thing is worth (EVT-4)."""
NO_WAY: Word = 0xFFFF
"""No way in: nobody gets there."""

_KINDS = {FactorKind.KNOWN: 1, FactorKind.HELD: 2, FactorKind.INHERENT: 4}
_NO_WAY_BIT = 1 << 7
_COMPONENTS: tuple[tuple[str, int, int], ...] = (
    ("phishing", 8, 2),
    ("binding", 10, 3),
    ("proofing", 13, 3),
)


def kinds_word(kinds: Iterable[FactorKind]) -> Word:
    """Needing these kinds of factor together, and nothing else."""
    return _kinds_word(frozenset(kinds))


@cache
def _kinds_word(kinds: frozenset[FactorKind]) -> Word:
    wanted = sum(_KINDS[kind] for kind in kinds)
    return sum(1 << held for held in range(8) if held & wanted != wanted)


def word_of(
    kinds: Iterable[FactorKind],
    phishing: Phishing = Phishing.TYPED,
    binding: Binding = Binding.BEARER,
    proofing: Proofing = Proofing.NONE,
) -> Word:
    """A strength with its kinds of factor."""
    return (
        kinds_word(kinds)
        | ((1 << phishing) - 1) << 8
        | ((1 << binding) - 1) << 10
        | ((1 << proofing) - 1) << 13
    )


PROOFED: Word = word_of((), proofing=Proofing.IAL3)
"""What an arc between two identities carries, so that their proofing is not compared."""


@cache
def word_of_method(method: Method, carried: Proofing) -> Word:
    """What one method of the catalogue is worth.

    Args:
        carried: the identity's proofing, for methods that repeat none.
    """
    proofing = carried if method.proofing is None else method.proofing
    return word_of(method.kinds, method.phishing, method.binding, proofing)


def strength_of_word(word: Word) -> Strength:
    """The point of the lattice; the caller has excluded `NO_WAY`."""
    if not word & 1:
        factors = Factors.NONE
    elif any(not word & 1 << held for held in (1, 2, 4)):
        factors = Factors.ONE
    else:
        factors = Factors.TWO
    levels = [(word >> at & (1 << width) - 1).bit_count() for _, at, width in _COMPONENTS]
    return Strength(factors, Phishing(levels[0]), Binding(levels[1]), Proofing(levels[2]))


def missing_bits(have: Word, need: Word) -> list[tuple[str, int]]:
    """Where `have` is below `need`: each component, with a bit that shows it.

    The bit is clear in `have` and stands for an attacker who must not suffice: at most so many
    kinds of factor, or one level of another component.
    """
    if have & _NO_WAY_BIT:
        return []
    weak, wanted = strength_of_word(have), strength_of_word(need)
    found: list[tuple[str, int]] = []
    if weak.factors < wanted.factors:
        subsets = (0,) if wanted.factors is Factors.ONE else (0, 1, 2, 4)
        found.append(("factors", next(held for held in subsets if not have & 1 << held)))
    for name, at, width in _COMPONENTS:
        lacking = need & ~have & ((1 << width) - 1) << at
        if lacking:
            found.append((name, (lacking & -lacking).bit_length() - 1))
    return found


def is_no_way(word: Word) -> bool:
    """Whether nobody gets there at all."""
    return bool(word & _NO_WAY_BIT)
