"""Strength: what an authenticator, or a set presented together, is worth.

A product of four chains (design §3), so ≥ is component-wise, what is needed together joins and
alternatives meet. AAL1, AAL2 and AAL3 of NIST SP 800-63B-4 are named points of it.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Factors(IntEnum):
    """How many factors of different kind; two of one kind count once."""

    NONE = 0
    ONE = 1
    TWO = 2


class Phishing(IntEnum):
    """What a relaying attacker gets: a typed or pushed output resists nothing."""

    TYPED = 0
    REPLAY_RESISTANT = 1
    PHISHING_RESISTANT = 2


class Binding(IntEnum):
    """What binds the credential to its holder."""

    BEARER = 0
    SENDER_CONSTRAINED = 1
    NON_EXPORTABLE = 2
    ATTESTED_HARDWARE = 3


class Proofing(IntEnum):
    """Who stands behind it: IAL1–3 for a person; declared owner, attested workload for a machine.

    The two scales share a chain; an identity is only ever compared with itself.
    """

    NONE = 0
    IAL1 = 1
    IAL2 = 2
    IAL3 = 3
    DECLARED_OWNER = 1
    ATTESTED_WORKLOAD = 2


class Strength(msgspec.Struct, frozen=True):
    """A point of the lattice."""

    factors: Factors = Factors.NONE
    phishing: Phishing = Phishing.TYPED
    binding: Binding = Binding.BEARER
    proofing: Proofing = Proofing.NONE

    def join(self, other: Strength) -> Strength:
        """The strength of both together (least upper bound)."""
        return Strength(
            max(self.factors, other.factors),
            max(self.phishing, other.phishing),
            max(self.binding, other.binding),
            max(self.proofing, other.proofing),
        )

    def meet(self, other: Strength) -> Strength:
        """The strength of either alone (greatest lower bound)."""
        return Strength(
            min(self.factors, other.factors),
            min(self.phishing, other.phishing),
            min(self.binding, other.binding),
            min(self.proofing, other.proofing),
        )

    def shortfall(self, need: Strength) -> tuple[str, ...]:
        """Say where `self` is below `need`, a phrase per component; empty when it is nowhere."""
        pairs: tuple[tuple[str, IntEnum, IntEnum], ...] = (
            ("factors", self.factors, need.factors),
            ("phishing", self.phishing, need.phishing),
            ("binding", self.binding, need.binding),
            ("proofing", self.proofing, need.proofing),
        )
        return tuple(
            f"{component} {_words(have)} < {_words(wanted)}"
            for component, have, wanted in pairs
            if have < wanted
        )

    def __str__(self) -> str:
        return ", ".join(
            (
                f"factors {_words(self.factors)}",
                f"phishing {_words(self.phishing)}",
                f"binding {_words(self.binding)}",
                f"proofing {_words(self.proofing)}",
            )
        )


_PROOFING_WORDS = ("none", "IAL1 (declared owner)", "IAL2 (attested workload)", "IAL3")


def _words(value: IntEnum) -> str:
    if isinstance(value, Proofing):
        return _PROOFING_WORDS[value]
    return value.name.lower().replace("_", "-")


WEAKEST = Strength()
"""The lattice's bottom: what an unknown method is worth (EVT-4)."""

AAL1 = Strength(Factors.ONE, Phishing.TYPED, Binding.BEARER)
AAL2 = Strength(Factors.TWO, Phishing.REPLAY_RESISTANT, Binding.BEARER)
AAL3 = Strength(Factors.TWO, Phishing.PHISHING_RESISTANT, Binding.NON_EXPORTABLE)
