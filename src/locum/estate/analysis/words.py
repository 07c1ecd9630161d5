"""Vertices and chains in words."""

from __future__ import annotations

from collections.abc import Sequence

from locum.estate.analysis.chains import Step
from locum.estate.graph.columns import Graph, Kind, Why
from locum.estate.graph.lattice import is_no_way, strength_of_word
from locum.model.strength import Factors, Strength


def shown(name: str) -> str:
    """A vertex's name as a person says it."""
    holder, mark, part = name.rpartition("#")
    if mark:
        part = part.removesuffix("+")
        number, slash, method = part.partition("/")
        if part == "primary":
            return f"{holder}'s primary"
        if part == "key":
            return f"{holder}'s own key with Locum"
        if part == "approvals":
            return f"the approvals of {holder}"
        if part == "requester":
            return f"somebody who may ask for {holder}"
        if part == "asked":
            return f"the evidence with the approvals of {holder}"
        if number == "primary":
            return f"the {method} of {holder}'s primary"
        if slash:
            return f"the {method} of {holder}"
    if name.count("/") == 2 and ":" not in name:
        way, _, method = name.rpartition("/")
        return f"the {method} of {way}"
    return name


def strength_words(word: int) -> str:
    """A strength in a few words, e.g. `one factor, typed, bearer`."""
    if is_no_way(word):
        return "no way in"
    return short(strength_of_word(word))


def short(strength: Strength) -> str:
    """A strength in a few words, without its proofing."""
    factors = {Factors.NONE: "no factor", Factors.ONE: "one factor", Factors.TWO: "two factors"}
    phishing = strength.phishing.name.lower().replace("_", "-")
    binding = strength.binding.name.lower().replace("_", "-")
    return f"{factors[strength.factors]}, {phishing}, {binding}"


def take_words(graph: Graph, names: Sequence[str], steps: Sequence[Step]) -> tuple[str, ...]:
    """A chain of taking over, a sentence each step."""
    return tuple(_taken(graph, names, step) for step in steps)


def loss_words(names: Sequence[str], steps: Sequence[Step]) -> tuple[str, ...]:
    """A chain of losing, a sentence each step."""
    return tuple(
        f"{_capital(shown(names[step.head]))} is lost"
        + (f" with {shown(names[step.body[0]])}." if step.body else ".")
        for step in steps
    )


def _taken(graph: Graph, names: Sequence[str], step: Step) -> str:
    head = shown(names[step.head])
    if step.arc < 0:
        kind = Kind(int(graph.kind[step.head]))
        if kind is Kind.QUORUM and "#requester" in names[step.head]:
            return f"{_capital(head)} adds no strength: they can be talked round."
        if kind is Kind.QUORUM:
            return f"{_capital(head)} add no strength: an approver can be talked round."
        base = int(graph.base[step.head])
        if kind is Kind.UNKNOWN or base == 0:
            return f"{_capital(head)} is taken: nothing is known of how it is kept."
        return f"{_capital(head)} is taken" + (
            "." if is_no_way(base) else f" ({strength_words(base)})."
        )
    body = " and ".join(shown(names[one]) for one in step.body)
    match Why(int(graph.why[step.arc])):
        case Why.IS_WAY:
            return f"{_capital(body)} opens {head}."
        case Why.PRESENTS:
            return f"{_capital(body)}: that is all that {head} asks for."
        case Why.KEPT_ON:
            return f"{_capital(head)} is kept on {body}."
        case Why.RESTS_ON:
            return f"{_capital(head)} rests on {body}."
        case Why.OPENED_BY:
            return f"{_capital(body)} opens {head}."
        case Why.YIELDS:
            return f"{_capital(head)} hands out {body}, which works by itself."
        case Why.SIGNS_IN:
            return f"Whoever is {body} binds {head}."
        case Why.QUORUM_OF:
            return f"{_capital(body)} {'are' if len(step.body) > 1 else 'is'} enough for {head}."
        case Why.ADMINISTERED_BY:
            return f"{_capital(body)} administers {head}."
        case Why.ISSUED_BY:
            return f"{_capital(body)} vouches for {head}."
        case Why.ACTS_FOR:
            return f"{_capital(head)} acts for {body}."
        case Why.ASSUMED_BY:
            return f"{_capital(body)} assumes {head}."


def _capital(text: str) -> str:
    """A sentence's first letter large, unless a name begins it."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first in ("the", "somebody", "evidence") else text
