"""Every kind of problem that an estate may have, by its id; ids are stable."""

from __future__ import annotations

from locum.estate.analysis.rules import RULES as ANALYSED
from locum.model.refusal import Law

RULES: dict[str, str] = {
    **{
        f"law-{int(law)}": words
        for law, words in (
            (Law.NO_WEAKER, "A path is no weaker than its primary, or a waiver in date says so."),
            (Law.NO_WIDER, "A path's authority is contained in the primary's."),
            (Law.NO_LONGER, "A path has an end date, a grant a hard end and a use limit."),
            (Law.ONLY_WHEN_SHUT, "Each declared cause has something that can show it."),
            (Law.NEVER_UNSEEN, "Every grant ends in a review, and every path is rehearsed."),
            (Law.NO_ONE_ALONE, "Requester, approvers and reviewer are different people."),
            (Law.SAME_CHECKS, "What the primary demands is demanded of the path."),
        )
    },
    "unreadable": "A file or folder can be read.",
    "file-size": "A file has 16 MiB at most.",
    "encoding": "A file is UTF-8.",
    "yaml": "A file is YAML.",
    "empty": "A file declares something.",
    "documents": "A file is one document.",
    "directive": "A file has no YAML directives.",
    "anchor": "A file has no anchors and aliases.",
    "tag": "A file has no tags.",
    "bounds": "A file is not too deep and has not too many values.",
    "character": "A file has no character that nobody sees.",
    "number": "A number can be read in one way only.",
    "key": "A key is a text.",
    "duplicate-key": "A name is declared once, in all files together.",
    "unknown-key": "A key is one that Locum knows.",
    "missing-key": "Everything that must be said is said.",
    "type": "A value is of the kind that its field wants.",
    "value": "A value is one that its field allows.",
    "form": "A text is in the form that its field wants.",
    "name": "A name is 1–63 of a-z, 0-9, `.`, `_`, `-`, with a letter or digit at both ends.",
    "dangling-name": "A name that is used is declared.",
    "url": "A URL is HTTPS, or HTTP on loopback, and holds no user name or password.",
    "method": "A method is in the catalogue; an unknown one is worth the least (EVT-4).",
    "target": "A target belongs to one path, whose method opens it.",
    "trust": "A trust bundle can be read, and holds authorities or an issuer, and no private key.",
    "known-by": "A workload is known by one certificate or token, and shares it with nobody.",
    "causes": "A method opens for causes that it can serve.",
    "rotation": "Planned windows close before the next one opens.",
    "cutover": "A cutover is said of backup certificates only.",
    "approvals": "No more approvals are needed than there are people.",
    **{rule.id: about.holds for rule, about in ANALYSED.items()},
    "administrators": "There is a group of administrators, with somebody in it.",
}


CLAUSES = {rule.id: about.clauses for rule, about in ANALYSED.items()}
"""Ids of requirements by rule; what breaks a law of a declared path names its own."""
_LAWS = {rule.id: about.law for rule, about in ANALYSED.items()}


def law_of(rule: str) -> int:
    """The law that a rule belongs to; 0 for none."""
    number = rule.removeprefix("law-")
    return int(number) if number != rule else _LAWS.get(rule, 0)


def words_of(rule: str) -> str:
    """A rule's short name for a heading: `law 3 (no longer)`, or its id."""
    number = rule.removeprefix("law-")
    if number != rule:
        return str(Law(int(number)))
    law = _LAWS.get(rule, 0)
    return f"{rule} ({Law(law)})" if law else rule
