"""What rests on a method that is not presented is refused; what Locum hands out may rest, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from locum.estate.declared import inventory_of
from locum.estate.graph.chart import chart
from locum.estate.graph.columns import onward
from locum.estate.graph.solving import losses
from locum.estate.loading import load
from tests.estate.estates import lawful, only_problem, path_with, written


@pytest.mark.parametrize("holder", ["primary", "path", "found"])
def test_a_method_that_is_not_presented_rests_on_nothing(tmp_path: Path, holder: str) -> None:
    estate = lawful()
    resting = {"totp": ["device:phone"]}
    if holder == "primary":
        estate["identities"]["alice"]["primary"]["rests_on"] = resting
    elif holder == "path":
        estate = path_with(rests_on=resting)
    else:
        estate["found"] = {"old": {"identity": "alice", "method": "api-key", "rests_on": resting}}
    problem = only_problem(tmp_path, estate)
    assert problem.rule == "dangling-name"
    assert problem.field.endswith("rests_on.totp")
    assert "`totp` is no method of this way" in problem.fact
    assert problem.position.line > 1


@pytest.mark.parametrize("resting", [["vault:corp"], {"vaulted-secret": ["vault:corp"]}])
def test_a_secret_that_locum_hands_out_is_lost_with_its_vault(
    tmp_path: Path, resting: object
) -> None:
    estate = path_with(rests_on=resting)
    estate["roots"] = {"vault:corp": {"administered_by": ["alice"]}}
    loaded = load(written(tmp_path, estate))
    drawn = chart(inventory_of(loaded.estate, loaded.document))
    way = drawn.names.index("orders-db-admin/break-glass")
    lost = losses(drawn.graph, onward(drawn.graph)).of(way)
    assert lost is not None
    assert drawn.names.index("vault:corp") in lost


@pytest.mark.parametrize(
    ("said", "field", "fact"),
    [
        (["alise"], "administered_by.0", "`alise` is no identity or group of this estate."),
        ({"of": "keepers", "need": 1}, "administered_by.of", "`keepers` is no group"),
        ({"of": "sre-leads", "need": 4}, "administered_by.need", "4 are needed of `sre-leads`"),
    ],
)
def test_administrators_of_a_root_are_there(
    tmp_path: Path, said: object, field: str, fact: str
) -> None:
    estate = lawful()
    estate["roots"] = {"vault:corp": {"administered_by": said}}
    problem = only_problem(tmp_path, estate)
    assert problem.field.endswith(field)
    assert problem.fact.startswith(fact)
