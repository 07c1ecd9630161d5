"""Tell a finding: where, what, why (the chain), and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from locum.estate.analysis.approving import quorums
from locum.estate.analysis.assess import Assessment
from locum.estate.analysis.chains import Step, fall_chain, loss_chain, weak_chain
from locum.estate.analysis.detect import Findings
from locum.estate.analysis.remedies import Remedy, remedy_of
from locum.estate.analysis.rules import RULES, Rule
from locum.estate.analysis.undermined import missing_of
from locum.estate.analysis.words import loss_words, short, shown, strength_words, take_words
from locum.estate.graph.chart import METHODS
from locum.estate.graph.lattice import is_no_way, kinds_word, missing_bits, strength_of_word
from locum.estate.graph.solving import LOSS_LIMIT
from locum.estate.graph.ways import UNSAID, day_of
from locum.estate.problem import Position, Problem, Severity, fingerprint_of
from locum.model.methods import FactorKind

_LOSS = (Rule.CIRCLE, Rule.LOCK_OUT, Rule.LOCK_OUT_OF_MANY)
_TWO_FACTORS = kinds_word((FactorKind.KNOWN, FactorKind.HELD))
_MANY = 100
"""Identities from which on a warning is an error: by who is reached."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The gravest first."""


def tell_all(assessment: Assessment, order: NDArray[np.int64], in_full: int) -> Iterator[Problem]:
    """Findings in this order.

    Args:
        in_full: how many are told with their chain and a remedy that was tried; those after have
            neither, because each takes milliseconds.
    """
    for number, at in enumerate(order):
        yield tell(assessment, int(at), in_full=number < in_full)


def fingerprint_at(assessment: Assessment, at: int) -> str:
    """The fingerprint of one finding, without telling it."""
    found, names = assessment.findings, assessment.chart.names
    rule, about = Rule(int(found.rule[at])).id, int(found.about[at])
    subject = names[int(found.vertex[at])].removesuffix("#primary")
    return fingerprint_of(rule, subject, "", names[about] if about >= 0 else rule)


def in_order(assessment: Assessment) -> NDArray[np.int64]:
    """Findings by severity, then by how many they reach, then by rule."""
    found = assessment.findings
    return np.lexsort((found.vertex, found.rule, -found.count, severities(assessment)))


def severities(assessment: Assessment) -> NDArray[np.uint8]:
    """How grave each finding is: a place in `SEVERITIES`.

    By its rule; a warning is an error where a privileged identity or very many are reached; and a
    downgrade that somebody accepted is a warning.
    """
    found, ways = assessment.findings, assessment.chart.ways
    by_rule = np.array([SEVERITIES.index(RULES[rule].severity) for rule in Rule], np.uint8)
    grave = by_rule[found.rule]
    raised = (grave == 1) & ((found.privileged != 0) | (found.count >= _MANY))
    waived = (found.row >= 0) & (found.rule == Rule.WEAKER_BEHIND)
    waived &= ways.waived[found.row] > assessment.now
    return np.where(waived, 1, grave - raised).astype(np.uint8)


def tell(assessment: Assessment, at: int, in_full: bool = True) -> Problem:
    """One finding, in words."""
    found, chart = assessment.findings, assessment.chart
    rule, vertex = Rule(int(found.rule[at])), int(found.vertex[at])
    about = int(found.about[at])
    steps = chain_of(assessment, at) if in_full else ()
    remedy = remedy_of(assessment, at, steps) if in_full else Remedy(RULES[rule].holds, False)
    words = (
        loss_words(chart.names, steps)
        if rule in _LOSS
        else take_words(chart.graph, chart.names, steps)
    )
    place = chart.places[vertex]
    name = chart.names[vertex]
    return Problem(
        place if place.file else Position("(graph)", 1, 1),
        rule.id,
        name.removesuffix("#primary"),
        "",
        fact_of(assessment, at),
        remedy.words,
        SEVERITIES[int(severity_of(assessment, at))],
        RULES[rule].clauses,
        chain=words,
        about=chart.names[about] if about >= 0 else rule.id,
        checked=remedy.checked,
        reach=int(found.count[at]),
    )


def severity_of(assessment: Assessment, at: int) -> int:
    """How grave one finding is."""
    found = assessment.findings
    alone = Findings(*(getattr(found, name)[at : at + 1] for name in Findings.__struct_fields__))
    return int(severities(msgspec.structs.replace(assessment, findings=alone))[0])


def chain_of(assessment: Assessment, at: int) -> tuple[Step, ...]:
    """The shortest way in which a finding comes about; empty where the finding is all there is."""
    found, chart, solved = assessment.findings, assessment.chart, assessment.solved
    rule, vertex = Rule(int(found.rule[at])), int(found.vertex[at])
    row, about = int(found.row[at]), int(found.about[at])
    match rule:
        case Rule.WEAKER_BEHIND | Rule.LONG_LIVED_BESIDE | Rule.LOCAL_ADMINISTRATOR:
            primary = int(chart.ways.vertex[chart.ways.primary[row]])
            bits = missing_bits(int(solved.value[vertex]), int(solved.alone[primary]))
            return weak_chain(chart.graph, vertex, bits[0][1]) if bits else ()
        case Rule.UNDERMINED:
            return weak_chain(chart.graph, vertex, missing_of(chart, solved, vertex))
        case Rule.ONE_ROOT:
            bits = missing_bits(int(solved.value[about]), _TWO_FACTORS)
            taken = weak_chain(chart.graph, about, bits[0][1]) if bits else ()
            return (*taken, *fall_chain(chart.graph, vertex, about)[1:])
        case Rule.APPROVER_RESTS_ON_REQUESTER:
            return fall_chain(chart.graph, int(chart.ways.asked[row]), about)
        case Rule.APPROVERS_ARE_ONE:
            quorum, rows = quorums(chart, solved.around.head)
            fallen = quorum[(rows == row) & (solved.falls.worst[quorum] == about)]
            return fall_chain(chart.graph, int(fallen[0]), about)
        case Rule.CIRCLE:
            lost = int(chart.ways.identity[row])
            return loss_chain(chart.graph, vertex, lost, solved.losses.of)
        case Rule.LOCK_OUT if about >= 0:
            return loss_chain(chart.graph, vertex, about, solved.losses.of)
        case _:
            return ()


def fact_of(assessment: Assessment, at: int) -> str:
    """What is wrong, in one sentence or two."""
    found, chart, solved = assessment.findings, assessment.chart, assessment.solved
    rule, vertex, row = Rule(int(found.rule[at])), int(found.vertex[at]), int(found.row[at])
    about, count, ways = int(found.about[at]), int(found.count[at]), chart.ways
    what = shown(chart.names[vertex])
    other = shown(chart.names[about]) if about >= 0 else ""
    own = strength_words(int(solved.value[vertex]))
    whose = chart.names[int(ways.identity[row])] if row >= 0 else what
    match rule:
        case Rule.WEAKER_BEHIND:
            lacking = _lacking(assessment, row)
            return f"With what stands behind it, it is weaker than its primary ({lacking})."
        case Rule.LONG_LIVED_BESIDE:
            return (
                "A secret that works until somebody ends it stands beside a primary that is bound "
                "or short-lived."
            )
        case Rule.LOCAL_ADMINISTRATOR:
            return "A password of its own goes past single sign-on for a privileged identity."
        case Rule.OUTLIVED:
            return "The certificate before the primary still works."
        case Rule.SECOND_KEY:
            return f"It is a further active {METHODS[int(ways.method[row])]} of {whose}."
        case Rule.CIRCLE:
            return f"It rests on {whose}, which it is to recover: lost together, it opens nothing."
        case Rule.UNDERMINED:
            return (
                f"It is worth {own}, less than the primar{'y' if count == 1 else 'ies'} of "
                f"{_people(count)} that rest{_s(count)} on it."
            )
        case Rule.ONE_ROOT:
            return f"Its two factors fall to {other} alone."
        case Rule.ONE_ROOT_FOR_MANY:
            return f"It is worth {own}, and {_people(count)} fall{_s(count)} with it alone."
        case Rule.LOCK_OUT if about < 0:
            return (
                f"More than {LOSS_LIMIT:,} things, too many to tell, may each leave no way in when "
                "they are lost."
            )
        case Rule.LOCK_OUT:
            return f"The loss of {other} alone leaves no way in, fallbacks included."
        case Rule.LOCK_OUT_OF_MANY:
            return f"Its loss alone locks {_people(count)} out."
        case Rule.NO_WAY_BACK:
            return "The primary is the only way in."
        case Rule.APPROVER_ALONE:
            return "Too few can approve but the one who asks."
        case Rule.APPROVER_RESTS_ON_REQUESTER:
            return f"{other} alone is both the evidence and the approvals."
        case Rule.APPROVERS_ARE_ONE:
            return f"{other} alone is enough for all its approvals, whoever approves."
        case Rule.NO_QUORUM:
            return "With one approver away, nobody can open it."
        case Rule.UNKNOWN_ROOT:
            return (
                "Nothing says how it is opened, so it is worth the least; "
                f"{_people(count)} fall{_s(count)} with it."
            )
        case Rule.UNKNOWN_PRIMARY:
            return (
                "Nobody says what its primary is, so it is no measure for its "
                f"{count} other way{'s' if count > 1 else ''} in."
            )
        case Rule.CHECKS_DROPPED:
            lacks = int(ways.lacks[row])
            return f"It drops {lacks} check{'s' if lacks > 1 else ''} that are demanded of {whose}."
        case Rule.WIDER:
            return (
                f"It may do more than its primary: {chart.notes.get(row, 'its scope is larger')}."
            )
        case Rule.NEVER_ENDS:
            unsaid = int(ways.ends[row]) == UNSAID
            return "Nobody says that it ends." if unsaid else "It works until somebody ends it."
        case Rule.OLD:
            return f"It was made on {day_of(int(ways.created[row]))}, more than a year ago."
        case Rule.UNREVIEWED:
            return f"It was used on {day_of(int(ways.used[row]))}, and nobody has judged that."
        case Rule.NEVER_DRILLED:
            drilled = int(ways.drilled[row])
            return (
                "It was never rehearsed."
                if drilled < 0
                else (
                    f"It was rehearsed last on {day_of(drilled)}, more than "
                    f"{int(ways.drill_days[row])} days ago."
                )
            )
        case Rule.UNUSED:
            used = int(ways.used[row])
            return "It was never used." if used < 0 else f"It was used last on {day_of(used)}."
        case Rule.OWNERLESS:
            return "Nobody answers for it."
        case Rule.PAST_UNKNOWN:
            rehearsed = int(ways.drilled[row]) == UNSAID and int(ways.drill_days[row]) > 0
            judged = int(ways.used[row]) >= 0 and int(ways.reviewed[row]) == UNSAID
            both = [
                *(["its last use was judged"] if judged else []),
                *(["it was ever rehearsed"] if rehearsed else []),
            ]
            return f"Nobody says whether {' or '.join(both)}."
        case Rule.CHECKS_UNKNOWN:
            return f"Nobody says whether it asks for what is demanded of {whose}."
        case Rule.OPENS_NOTHING:
            whom = "get in" if row < 0 else "open it"
            return (
                f"Nobody can {whom}: it rests on what is reached only through itself, or on more "
                "people than there are."
            )


def _lacking(assessment: Assessment, row: int) -> str:
    ways, solved = assessment.chart.ways, assessment.solved
    own = int(solved.value[ways.vertex[row]])
    primary = int(solved.alone[ways.vertex[ways.primary[row]]])
    if is_no_way(own) or is_no_way(primary):
        return "nobody gets in by it"
    have, need = strength_of_word(own), strength_of_word(primary)
    return ", ".join(have.shortfall(need)) or f"{short(have)} against {short(need)}"


def _s(count: int) -> str:
    return "s" if count == 1 else ""


def _people(count: int) -> str:
    return f"{count:,} identity" if count == 1 else f"{count:,} identities"
