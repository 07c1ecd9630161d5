"""The cheapest change that makes a finding go: tried on the graph, and solved again.

Changes are tried in the order of what they cost people: mend a column, take one alternative away,
ask for more, remove the way. A change that brings a new error is none. What nobody can try, like
saying how an unknown mailbox is opened, or naming people who could approve, is only said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from locum.estate.analysis.assess import Assessment, assess_at
from locum.estate.analysis.chains import Step
from locum.estate.analysis.draft import Draft
from locum.estate.analysis.local import Local, behind
from locum.estate.analysis.rules import RULES, Rule
from locum.estate.analysis.which_ways import DAY
from locum.estate.analysis.words import shown
from locum.estate.graph.columns import Kind, Why
from locum.estate.graph.ways import WIDER
from locum.estate.inventory import Role
from locum.model.strength import Proofing

Change = Callable[[Draft], object]
Candidate = tuple[str, Change]
_PERIOD = 90 * DAY
_RESTING = (Why.RESTS_ON, Why.KEPT_ON, Why.OPENED_BY, Why.ADMINISTERED_BY)
_SAID = {
    Rule.UNKNOWN_ROOT: "Say under `roots` how it is opened and who administers it.",
    Rule.UNDERMINED: "Make every way to it as strong as what rests on it.",
    Rule.ONE_ROOT_FOR_MANY: "Ask for two factors of whoever gets at it.",
    Rule.OPENS_NOTHING: "Give something that it rests on a way in of its own.",
    Rule.APPROVER_ALONE: "Add people to the group that approves {name}.",
    Rule.NO_QUORUM: "Add people to the group that approves {name}.",
    Rule.PAST_UNKNOWN: "Say it under `observed`, or ask a running Locum: `locum explain --live`.",
    Rule.CHECKS_UNKNOWN: "Say it: `context` of {name}, which is `[]` where it asks for nothing.",
    Rule.UNKNOWN_PRIMARY: "Say what it is: its method in the estate, or the export that tells it.",
    Rule.LOCK_OUT_OF_MANY: "Give those who matter most a way in that does not rest on it, and "
    "rehearse it.",
}
_OF_WAYS = (Rule.APPROVER_ALONE, Rule.NO_QUORUM, Rule.PAST_UNKNOWN, Rule.CHECKS_UNKNOWN)


class Remedy(msgspec.Struct, frozen=True):
    """What to do, and whether it was tried."""

    words: str
    checked: bool


def remedy_of(assessment: Assessment, at: int, chain: tuple[Step, ...]) -> Remedy:
    """The cheapest change that makes a finding go.

    Args:
        at: the finding.
        chain: how it comes about, in vertices of the whole chart.
    """
    rule = Rule(int(assessment.findings.rule[at]))
    vertex = int(assessment.findings.vertex[at])
    row = int(assessment.findings.row[at])
    chart = assessment.chart
    if rule in _SAID and (row < 0 or rule in _OF_WAYS):
        return Remedy(_SAID[rule].format(name=shown(chart.names[vertex])), False)
    end = int(chart.ways.identity[row]) if row >= 0 else vertex
    local = behind(chart, [end])
    before = _errors(assess_at(local.chart, assessment.now))
    gone = (rule.id, chart.names[vertex])
    first = ""
    for words, change in _candidates(assessment, local, rule, vertex, row, chain):
        first = first or words
        draft = Draft(local.chart)
        change(draft)
        after = _found(assess_at(draft.chart(), assessment.now))
        if gone not in after and _errors_in(after) <= before:
            return Remedy(words, True)
    return Remedy(first, False)


def _found(assessment: Assessment) -> set[tuple[str, str]]:
    found, names = assessment.findings, assessment.chart.names
    return {
        (Rule(int(found.rule[at])).id, names[int(found.vertex[at])]) for at in range(len(found))
    }


def _errors(assessment: Assessment) -> set[tuple[str, str]]:
    return _errors_in(_found(assessment))


def _errors_in(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    errors = {rule.id for rule, about in RULES.items() if about.severity == "error"}
    return {one for one in found if one[0] in errors}


def _candidates(
    assessment: Assessment, local: Local, rule: Rule, vertex: int, row: int, chain: tuple[Step, ...]
) -> Iterator[Candidate]:
    names, chart = assessment.chart.names, assessment.chart
    here = local.vertex(vertex)
    name = shown(names[vertex])
    mine = int(local.rows.searchsorted(row)) if row >= 0 else -1
    columns = _columns(rule, name, mine, assessment.now)
    if columns is not None:
        yield columns
    if rule in (Rule.NO_WAY_BACK, Rule.LOCK_OUT):
        person = bool(chart.person[vertex])
        method = "passkey-device-bound" if person else "x509-certificate"
        what = "a second key that is kept apart" if person else "a backup certificate"
        yield (
            f"Declare {what} for {name} (`method: {method}`).",
            lambda draft: draft.add_path(
                here, f"{names[vertex]}/another", (method,), Proofing.IAL3
            ),
        )
        yield (
            f"Give {name} a way in that does not go through Locum (`method: {method}`).",
            lambda draft: draft.add_way(here, f"{names[vertex]}/another", (method,), Proofing.IAL3),
        )
        return
    if rule is Rule.CIRCLE:
        yield from _other_ways_to(assessment, local, chain)
    elif rule in (
        Rule.WEAKER_BEHIND,
        Rule.ONE_ROOT,
        Rule.APPROVER_RESTS_ON_REQUESTER,
        Rule.APPROVERS_ARE_ONE,
    ):
        yield from _alternatives(assessment, local, chain)
    whose = chart.ways.identity[row] if row >= 0 else vertex
    if rule in (Rule.WEAKER_BEHIND, Rule.ONE_ROOT) and chart.person[whose]:
        way = here if rule is Rule.WEAKER_BEHIND else local.vertex(int(chart.ways.vertex[row]))
        yield (
            "Ask for a device-bound passkey as well: add passkey-device-bound to the methods of "
            f"{shown(local.chart.names[way])}.",
            partial(
                Draft.demand, way=way, methods=("passkey-device-bound",), carried=Proofing.IAL3
            ),
        )
    if row >= 0 and chart.ways.role[row] != Role.PRIMARY.value:
        of = local.vertex(int(chart.ways.vertex[row]))
        yield f"Remove {shown(local.chart.names[of])}.", lambda draft: draft.lose(of)


def _columns(rule: Rule, name: str, row: int, now: int) -> Candidate | None:
    """What a change of a column mends."""

    def to(column: str, value: int) -> Change:
        return lambda draft: draft.set(row, column, value)

    match rule:
        case Rule.NEVER_ENDS:
            return f"Give {name} an end within 90 days, or remove it.", to("ends", now + _PERIOD)
        case Rule.OLD:
            return f"Replace {name} and revoke the old one, or remove it.", to("created", now)
        case Rule.OWNERLESS:
            return f"Name who answers for {name}, or remove it.", to("owned", 1)
        case Rule.CHECKS_DROPPED:
            return f"Demand of {name} what its identity's policies demand.", to("lacks", 0)
        case Rule.WIDER:
            return (
                f"Narrow the authority of {name} to its primary's.",
                lambda draft: draft.set(row, "flags", draft.flags(row) & ~WIDER),
            )
        case Rule.UNREVIEWED:
            return f"Review the last use of {name}: `locum review`.", to("reviewed", now)
        case Rule.NEVER_DRILLED:
            return f"Rehearse {name} now: `locum drill`.", to("drilled", now)
        case _:
            return None


def _alternatives(
    assessment: Assessment, local: Local, chain: tuple[Step, ...]
) -> Iterator[Candidate]:
    """Take away one alternative of the chain after the other."""
    graph, names = assessment.chart.graph, assessment.chart.names
    for step in chain:
        if step.arc < 0 or int(graph.why[step.arc]) not in _RESTING:
            continue
        head, body = local.vertex(step.head), tuple(local.vertex(one) for one in step.body)
        what = " and ".join(shown(names[one]) for one in step.body)
        kept = Why(int(graph.why[step.arc])) in (Why.RESTS_ON, Why.KEPT_ON)
        words = (
            f"Keep {shown(names[step.head])} apart from {what}."
            if kept
            else f"Close this way to {shown(names[step.head])}: {what}."
        )
        yield words, partial(Draft.drop, head=head, body=body)


def _other_ways_to(
    assessment: Assessment, local: Local, chain: tuple[Step, ...]
) -> Iterator[Candidate]:
    """Give something in a circle a way in of its own."""
    graph, names = assessment.chart.graph, assessment.chart.names
    for step in chain:
        if step.arc < 0 or int(graph.kind[step.head]) < Kind.DEVICE:
            continue
        head = local.vertex(step.head)
        root = names[step.head]
        yield (
            f"Give {root} a way in that does not rest on {shown(names[chain[0].head])}, e.g. a "
            "passkey of its own.",
            partial(
                Draft.add_way,
                identity=head,
                name=f"{root}#other",
                methods=("passkey-device-bound",),
                carried=Proofing.IAL3,
            ),
        )
