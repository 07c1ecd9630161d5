"""Law 2: a grant may do nothing that the primary may not."""

from __future__ import annotations

import msgspec

from locum.laws.no_wider import granted_authority, no_wider
from locum.laws.opening import Past, decide_opening
from locum.laws.permits import MayOpen, Refusal
from locum.model.authority import NOTHING, Authority
from locum.model.constraint import Range
from locum.model.refusal import Law
from tests.laws.declared import (
    ANN,
    BOB,
    CAROL,
    ESTATE,
    FACTS,
    IDENTITY,
    NOW,
    PATH,
    PRIMARY,
    approval,
    ask,
    path,
)
from tests.laws.refused import refused_by


def querying(low: int, high: int) -> Authority:
    return Authority(tools={"query": {"limit": Range(low=low, high=high)}})


def test_a_path_without_authority_of_its_own_has_the_primarys() -> None:
    assert granted_authority(PATH, IDENTITY) == PRIMARY.authority
    assert no_wider(PATH, IDENTITY) == ()


def test_a_narrower_path_is_allowed() -> None:
    assert no_wider(path(authority=querying(1, 10)), IDENTITY) == ()
    assert no_wider(path(authority=NOTHING), IDENTITY) == ()


def test_a_path_that_reaches_one_further_is_refused_with_the_call_that_shows_it() -> None:
    broken = no_wider(path(authority=querying(1, 101)), IDENTITY)
    refused_by(Law.NO_WIDER, broken, "limit = 101")


def test_a_primary_without_authority_allows_a_path_nothing() -> None:
    primary = msgspec.structs.replace(PRIMARY, authority=NOTHING)
    identity = msgspec.structs.replace(IDENTITY, primary=primary)
    for wider in (
        Authority(audiences=frozenset({"orders"})),
        Authority(scopes=frozenset({"read"})),
        Authority(resources=frozenset({"/a"})),
        Authority(environment="production"),
        querying(1, 1),
    ):
        refused_by(Law.NO_WIDER, no_wider(path(authority=wider), identity))


def test_a_wider_path_does_not_open_and_a_narrower_one_grants_what_it_says() -> None:
    for authority in (querying(1, 101), querying(1, 10)):
        declared = path(authority=authority)
        asked = ask(declared)
        yes = (approval(BOB, asked), approval(CAROL, asked))
        answer = decide_opening(declared, IDENTITY, asked, yes, ANN, ESTATE, Past(), FACTS, NOW)
        if authority == querying(1, 10):
            assert isinstance(answer, MayOpen)
            assert answer.authority == authority
        else:
            assert isinstance(answer, Refusal)
            refused_by(Law.NO_WIDER, answer)
