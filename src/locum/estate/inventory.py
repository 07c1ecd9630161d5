"""What is there, whoever says so: identities, their ways in, and what those rest on.

Declarations and imports both become an inventory, and the graph is drawn from it. What nobody said
is `None`, and that something never happened is `NEVER`: they are not the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Literal

import msgspec

from locum.estate.problem import Position
from locum.model.estate import Kind
from locum.model.strength import Proofing

NEVER: Literal["never"] = "never"
Seen = datetime | Literal["never"] | None
"""When something was last seen; `NEVER`, or `None` where nobody says."""


class Role(Enum):
    """What a way is to its identity."""

    PRIMARY = 0
    DECLARED = 1
    FOUND = 2


class Quorum(msgspec.Struct, frozen=True):
    """So many different people out of these.

    Args:
        label: what it is called, e.g. the group's name.
        people: identities.
        need: how many of them.
    """

    label: str
    people: frozenset[str]
    need: int = 1


class Way(msgspec.Struct, frozen=True):
    """One way into one identity.

    Args:
        name: `alice` for a primary, `alice/codes` for a declared path or what was found.
        methods: presented together.
        rests_on: roots by method; what stands under `""` gives the whole way.
        yields: the method of a credential that works by itself while the way is open.
        by_primary: it is opened by presenting the primary, which still works.
        requesters: who may ask; `None` where nobody does.
        by_key: whoever asks presents a key of their own.
        approvals: who must approve.
        demands: conditions that it asks for.
        demands_unsaid: nobody says which conditions it asks for.
        ends: when it ends by itself; `NEVER` where it does not.
        reviewable: whether uses are to be judged afterwards.
        review_within: how long after a use its review is overdue.
        drill_days: the longest time between two drills; `None` where none is declared.
        active: whether it works, until it ends.
        waived: until when somebody accepts that it is weaker; `None` where nobody does.
    """

    name: str
    identity: str
    role: Role
    methods: tuple[str, ...]
    place: Position
    rests_on: Mapping[str, tuple[str, ...]] = {}
    yields: str = ""
    by_primary: bool = False
    requesters: Quorum | None = None
    by_key: bool = False
    approvals: Quorum | None = None
    demands: frozenset[str] = frozenset()
    demands_unsaid: bool = False
    owner: str = ""
    created: datetime | None = None
    ends: Seen = None
    last_used: Seen = None
    last_drilled: Seen = None
    last_reviewed: Seen = None
    reviewable: bool = False
    review_within: timedelta = timedelta(days=1)
    drill_days: int | None = None
    active: bool = True
    waived: datetime | None = None
    wider: str = ""
    probed: bool = False


class Holder(msgspec.Struct, frozen=True):
    """An identity.

    Args:
        demands: what the estate's policies ask of every way into it.
        privileged: whoever gets in here may change other identities.
    """

    name: str
    kind: Kind
    place: Position
    owner: str = ""
    demands: frozenset[str] = frozenset()
    proofing: Proofing = Proofing.NONE
    privileged: bool = False
    disabled: bool = False
    acts_for: str = ""


class RootWay(msgspec.Struct, frozen=True):
    """One way to take a root: methods presented together, and what they rest on."""

    methods: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()


class Root(msgspec.Struct, frozen=True):
    """What authenticators rest on: a mailbox, a device, a vault, an identity provider.

    Args:
        name: with its kind, e.g. `mailbox:alice@example.com`.
        ways: alternatives; none for what is taken as it is, like a device.
        administered_by: who can do with it as they like.
    """

    name: str
    place: Position
    ways: tuple[RootWay, ...] = ()
    administered_by: Quorum | None = None
    owner: str = ""


class Inventory(msgspec.Struct, frozen=True):
    """Everything that somebody said."""

    holders: tuple[Holder, ...] = ()
    ways: tuple[Way, ...] = ()
    roots: tuple[Root, ...] = ()
