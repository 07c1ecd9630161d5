"""What an analysis of the whole estate may find: ids, laws, severities and clauses; all stable."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from locum.estate.problem import Severity


class Rule(IntEnum):
    """A kind of finding; its number stands in columns, its name is published."""

    CIRCLE = 0
    WEAKER_BEHIND = 1
    UNDERMINED = 2
    ONE_ROOT = 3
    ONE_ROOT_FOR_MANY = 4
    LOCK_OUT = 5
    LOCK_OUT_OF_MANY = 6
    NO_WAY_BACK = 7
    APPROVER_ALONE = 8
    APPROVER_RESTS_ON_REQUESTER = 9
    NO_QUORUM = 10
    UNKNOWN_ROOT = 11
    CHECKS_DROPPED = 12
    WIDER = 13
    SECOND_KEY = 14
    OUTLIVED = 15
    LONG_LIVED_BESIDE = 16
    LOCAL_ADMINISTRATOR = 17
    NEVER_ENDS = 18
    OLD = 19
    UNREVIEWED = 20
    NEVER_DRILLED = 21
    UNUSED = 22
    OWNERLESS = 23
    OPENS_NOTHING = 24
    APPROVERS_ARE_ONE = 25
    PAST_UNKNOWN = 26
    CHECKS_UNKNOWN = 27
    UNKNOWN_PRIMARY = 28

    @property
    def id(self) -> str:
        """The published id, e.g. `weaker-behind`."""
        return self.name.lower().replace("_", "-")


class About(msgspec.Struct, frozen=True):
    """What a rule stands for.

    Args:
        law: the law that it belongs to; 0 for none.
        holds: what holds where it is silent.
        clauses: ids of requirements, and of the standards that they come from.
    """

    law: int
    severity: Severity
    holds: str
    clauses: tuple[str, ...]


RULES: dict[Rule, About] = {
    Rule.CIRCLE: About(
        4, "error", "A recovery does not rest on what it recovers.",
        ("REC-1", "BG-A1", "ASVS 6.4.3"),
    ),
    Rule.WEAKER_BEHIND: About(
        1, "error", "A way in is no weaker than its primary, with everything that it rests on.",
        ("EVT-4", "NHI4", "ZT-3", "ASVS 6.1.3", "ASVS 6.3.4"),
    ),
    Rule.UNDERMINED: About(
        1, "warning", "What primaries rest on is no weaker than they are.",
        ("EVT-4", "ZT-1", "ASVS 6.3.4"),
    ),
    Rule.ONE_ROOT: About(
        1, "warning", "Two factors do not fall to one thing of one factor.",
        ("EVT-4", "NHI4", "ASVS 6.3.4", "PCI DSS 8.4.2"),
    ),
    Rule.ONE_ROOT_FOR_MANY: About(
        1, "warning", "No one thing of one factor opens many identities.",
        ("NHI9", "ZT-3", "PCI DSS 8.4.2"),
    ),
    Rule.LOCK_OUT: About(
        4, "warning", "No single loss takes every way in from an identity that has fallbacks.",
        ("EVT-2", "BG-E5"),
    ),
    Rule.LOCK_OUT_OF_MANY: About(
        4, "warning", "No single loss locks many out.", ("BG-A1", "BG-E5"),
    ),
    Rule.NO_WAY_BACK: About(
        4, "note", "A person has a second way in.", ("EVT-2", "REC-2"),
    ),
    Rule.APPROVER_ALONE: About(
        6, "error", "Whoever asks, enough others can approve.", ("BG-P1", "PCI DSS 8.2.2"),
    ),
    Rule.APPROVER_RESTS_ON_REQUESTER: About(
        6, "error", "No one thing is both the evidence and the approvals of a path.",
        ("BG-P1", "NHI9"),
    ),
    Rule.NO_QUORUM: About(
        6, "note", "Enough people can approve when one of them is away.", ("BG-A1",),
    ),
    Rule.UNKNOWN_ROOT: About(
        1, "warning", "What authenticators rest on is said.", ("EVT-4",),
    ),
    Rule.CHECKS_DROPPED: About(
        7, "error", "A way in asks for every check that its identity's policies demand.",
        ("ZT-6", "BG-E1", "ASVS 6.3.4"),
    ),
    Rule.WIDER: About(
        2, "error", "A way in may do no more than its primary.", ("NHI5", "NHI6", "NHI8", "ZT-3"),
    ),
    Rule.SECOND_KEY: About(
        3, "warning", "An identity has one active secret of a kind.",
        ("NHI7", "NHI9", "PCI DSS 8.6.3"),
    ),
    Rule.OUTLIVED: About(
        3, "error", "An old certificate goes when its successor is in use.",
        ("EVT-5", "NHI1", "NHI7"),
    ),
    Rule.LONG_LIVED_BESIDE: About(
        1, "error", "No long-lived secret stands beside a workload identity.",
        ("NHI4", "NHI7", "ZTA-1", "ASVS 6.1.3", "ASVS 6.3.4"),
    ),
    Rule.LOCAL_ADMINISTRATOR: About(
        7, "error", "No local administrator stands beside single sign-on undeclared.",
        ("NHI10", "BG-N1", "ASVS 6.1.3", "ASVS 6.3.4", "PCI DSS 8.2.2"),
    ),
    Rule.NEVER_ENDS: About(
        3, "warning", "A secret ends.", ("NHI7", "PCI DSS 8.6.3"),
    ),
    Rule.OLD: About(
        3, "warning", "A secret is no older than a year.", ("NHI7", "PCI DSS 8.6.3"),
    ),
    Rule.UNREVIEWED: About(
        5, "error", "Every use is judged.", ("ZT-5", "BG-E4"),
    ),
    Rule.NEVER_DRILLED: About(
        5, "warning", "A path is rehearsed in time.", ("BG-E5",),
    ),
    Rule.UNUSED: About(
        5, "note", "What is there is used.", ("NHI1", "PCI DSS 8.2.6"),
    ),
    Rule.OWNERLESS: About(
        5, "note", "Somebody answers for each way in.", ("NHI1",),
    ),
    Rule.OPENS_NOTHING: About(
        4, "error", "What is to let somebody in can be opened.", ("REC-1", "BG-A1"),
    ),
    Rule.APPROVERS_ARE_ONE: About(
        6, "warning", "No one thing is enough for all approvals of a path.", ("BG-P1", "NHI9"),
    ),
    Rule.PAST_UNKNOWN: About(
        5, "note", "It is known whether a path was judged and rehearsed.", ("ZT-5", "BG-E5"),
    ),
    Rule.CHECKS_UNKNOWN: About(
        7, "note", "What is found says which checks it asks for.", ("ZT-6", "BG-E1"),
    ),
    Rule.UNKNOWN_PRIMARY: About(
        1, "warning", "What a primary is, is known where there are other ways in.",
        ("EVT-4", "NHI4", "ASVS 6.1.3"),
    ),
}  # fmt: skip
