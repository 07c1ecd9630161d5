"""What only a law can make: the values that a change of state demands.

A test checks that nothing outside `laws/` constructs one of these, so holding one is having been
allowed. `Refusal` is the other answer; it carries every breach and has no truth value.
"""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

import msgspec

from locum.model.authority import Authority
from locum.model.names import Digest, IdentityName
from locum.model.refusal import Breach
from locum.model.request import ActingKey, Replaced, Verdict


class Refusal(msgspec.Struct, frozen=True):
    """The laws say no; every breach with its fact and remedy."""

    breaches: tuple[Breach, ...]

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision has no truth value; match on its type")


class MayAsk(msgspec.Struct, frozen=True):
    """This person may ask for this path for this cause."""

    lapses_at: datetime
    declaration: Digest


class MayApprove(msgspec.Struct, frozen=True):
    """This person may decide about exactly this digest.

    Args:
        key: the key that a yes may be given with; `None` where only a no may be given.
    """

    by: IdentityName
    digest: Digest
    need: int
    key: ActingKey | None = None


class MayOpen(msgspec.Struct, frozen=True):
    """The path may be opened now, within these bounds."""

    by: IdentityName
    ends_at: datetime
    uses: int
    authority: Authority
    proof: str
    conditions: frozenset[str]
    replaces: Replaced | None = None


class MayReview(msgspec.Struct, frozen=True):
    """This person may judge this grant."""

    by: IdentityName
    verdict: Verdict
