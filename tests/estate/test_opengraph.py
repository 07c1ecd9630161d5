"""What is uploaded to BloodHound twice is one graph there, and two estates stay two."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.checking import check
from locum.estate.report_opengraph import as_opengraph
from tests.estate.estates import NOW, lawful, written


def nodes(said: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["properties"]["name"] for one in said["graph"]["nodes"]}


def exported(folder: Path, value: dict[str, Any], estate: str = "acme") -> dict[str, Any]:
    return as_opengraph(check(written(folder, value), NOW), estate)


def turned_round(value: dict[str, Any]) -> dict[str, Any]:
    whole = {**value, "identities": dict(reversed(value["identities"].items()))}
    whole["groups"] = {name: members[::-1] for name, members in value["groups"].items()}
    return whole


def test_ids_stay_when_the_file_is_put_in_another_order_or_grows(tmp_path: Path) -> None:
    before = nodes(exported(tmp_path, lawful()))
    assert nodes(exported(tmp_path, turned_round(lawful()))) == before
    more = lawful()
    more["identities"] = {"aaron": more["identities"]["alice"], **more["identities"]}
    assert before.items() <= nodes(exported(tmp_path, more)).items()


def test_edges_are_the_same_in_another_order(tmp_path: Path) -> None:
    def edges(said: dict[str, Any]) -> set[tuple[str, ...]]:
        return {
            (one["kind"], one["start"]["value"], one["end"]["value"], one["properties"]["use"])
            for one in said["graph"]["edges"]
        }

    before = edges(exported(tmp_path, lawful()))
    assert edges(exported(tmp_path, turned_round(lawful()))) == before


def test_every_node_has_an_id_of_its_own_that_capitals_do_not_change(tmp_path: Path) -> None:
    said = exported(tmp_path, lawful())
    assert len(nodes(said)) == len(said["graph"]["nodes"])
    assert all(re.fullmatch("[0-9A-F]{32}", one) for one in nodes(said))


def test_two_estates_have_no_node_in_common(tmp_path: Path) -> None:
    one, other = (nodes(exported(tmp_path, lawful(), name)) for name in ("acme", "globex"))
    assert not one.keys() & other.keys()


def test_an_estate_is_called_as_its_folder_unless_it_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "globex"
    folder.mkdir()
    written(folder, lawful())
    words = ["check", str(folder), "--format", "opengraph"]
    assert '"estate": "globex"' in CliRunner().invoke(app, words).stdout
    assert '"estate": "acme"' in CliRunner().invoke(app, [*words, "--name", "acme"]).stdout
