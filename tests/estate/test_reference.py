"""docs/estate.md says everything that the code knows, and its examples are what they seem."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from locum.estate.document import read_document
from locum.estate.loading import load
from locum.estate.rules import RULES
from locum.estate.schema import SCHEMA
from locum.model.methods import CATALOGUE, strength_of
from locum.model.strength import Proofing
from tests.estate.estates import lawful, path_with, written
from tests.estate.test_schema import nodes

TEXT = (Path(__file__).parents[2] / "docs" / "estate.md").read_text()


def examples() -> dict[str, Any]:
    """The YAML blocks of the reference, put together by their top keys."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return {
        key: value
        for block in blocks
        for key, value in read_document(block.encode(), "docs/estate.md").value.items()
    }


def test_every_field_is_in_the_reference() -> None:
    fields = {name for node in nodes(SCHEMA) for name in node.get("properties", {})}
    assert {name for name in fields if f"`{name}`" not in TEXT} == set()


def test_every_rule_is_in_the_reference() -> None:
    lines = set(TEXT.splitlines())
    assert [rule for rule, words in RULES.items() if f"| `{rule}` | {words} |" not in lines] == []


def test_every_method_is_in_the_reference_with_what_it_is_worth() -> None:
    for name, method in CATALOGUE.items():
        worth = strength_of(name, Proofing.NONE)
        words = " | ".join(
            value.name.lower().replace("_", "-")
            for value in (worth.factors, worth.phishing, worth.binding)
        )
        assert f"| `{name}` | {words} | {method.clause} |" in TEXT


def test_the_examples_of_the_reference_are_read(tmp_path: Path) -> None:
    found = examples()
    whole = lawful()
    whole["groups"] |= found["groups"]
    whole["identities"]["payments-api"] = found["payments-api"]
    whole["identities"]["orders-db-admin"]["fallbacks"]["break-glass"] = found["break-glass"]
    load(written(tmp_path, whole))
    load(written(tmp_path, path_with(target=found["target"])))


def test_every_constraint_of_the_reference_is_read(tmp_path: Path) -> None:
    shown = re.findall(r"^\| `(\w+)` \|.*\| `(\{\1: .*\})` \|$", TEXT, re.MULTILINE)
    assert {kind for kind, _ in shown} == set(SCHEMA["$defs"]["constraint"]["properties"])
    arguments = {kind: read_document(text.encode(), "docs/estate.md").value for kind, text in shown}
    load(written(tmp_path, path_with(authority={"tools": {"t": arguments}})))


def test_every_probe_of_the_reference_is_read(tmp_path: Path) -> None:
    shown = re.findall(r"`(probe: \{.*?\})` \|$", TEXT, re.MULTILINE)
    assert len(shown) == 4
    for text in shown:
        load(written(tmp_path, path_with(**read_document(text.encode(), "docs").value)))
