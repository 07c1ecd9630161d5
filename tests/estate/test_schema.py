from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import locum.estate
from locum.estate.document import read_document
from locum.estate.schema import SCHEMA, published
from tests.estate.estates import STATIC, bent, lawful, only_problem, path_with, problems_of

PUBLISHED = Path(locum.estate.__file__).with_name("schema.json")
EXAMPLES = Path(__file__).parents[2] / "examples"


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, dict):
        yield schema
        for one in schema.values():
            yield from nodes(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from nodes(one)


def test_the_published_schema_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text() == published(), "run `python -m locum.estate.schema`"


def test_the_schema_is_one_of_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_no_mapping_of_the_schema_is_open() -> None:
    for node in nodes(SCHEMA):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False or "propertyNames" in node


def test_every_field_says_what_it_means() -> None:
    for node in nodes(SCHEMA):
        for name, field in node.get("properties", {}).items():
            assert "description" in field or "$ref" in field, name


def test_every_example_fits_its_own_form() -> None:
    validator = Draft202012Validator(SCHEMA)
    for node in nodes(SCHEMA):
        for example in node.get("examples", []) if isinstance(node.get("examples"), list) else []:
            validator.evolve(schema={**node, "$defs": SCHEMA["$defs"]}).validate(example)


def test_the_example_fits_the_schema_as_editors_check_it() -> None:
    data = (EXAMPLES / "break-glass" / "estate.yaml").read_bytes()
    document = read_document(data, "estate.yaml")
    Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(document.value)


@pytest.mark.parametrize("name", ["a", "a.b-c_1", "0", "a" * 63])
def test_a_name_may_be(tmp_path: Path, name: str) -> None:
    problem = only_problem(tmp_path, bent(("identities", "orders-db-admin", "acts_for"), name))
    assert problem.rule == "dangling-name"


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "a" * 64, "a\n", "a/b", "å"])
def test_a_name_may_not_be(tmp_path: Path, name: str) -> None:
    problem = only_problem(tmp_path, bent(("identities", "orders-db-admin", "acts_for"), name))
    assert problem.rule == "form"
    owned = {"kind": "workload", "owner": "x", "primary": {"method": "api-key"}}
    problem = only_problem(tmp_path, bent(("identities", name), owned))
    assert problem.rule == "name"


def test_every_problem_is_found_and_not_only_the_first(tmp_path: Path) -> None:
    whole = path_with(causes=[], until="tomorrow", limits={"ttl": "2 h", "use": 1})
    assert [problem.field for problem in problems_of(tmp_path, whole)] == [
        "causes",
        "limits.ttl",
        "limits.use",
        "until",
    ]


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"limits": {"ttl": "0m"}}, "limits.ttl", "form"),
        ({"limits": {"ttl": "-1m"}}, "limits.ttl", "form"),
        ({"limits": {"ttl": "1.5h"}}, "limits.ttl", "form"),
        ({"limits": {"ttl": "20m\n"}}, "limits.ttl", "form"),
        ({"limits": {"ttl": 20}}, "limits.ttl", "type"),
        ({"limits": {"ttl": "20m", "window": "0s"}}, "limits.window", "form"),
        ({"limits": {"ttl": "20m", "uses": 0}}, "limits.uses", "value"),
        ({"limits": {"ttl": "20m", "uses": 1.0}}, "limits.uses", "type"),
        ({"limits": {"ttl": "20m", "uses": True}}, "limits.uses", "type"),
        ({"approvals": {"of": "sre-leads", "need": 0}}, "approvals.need", "value"),
        ({"approvals": {"of": "sre-leads", "need": -1}}, "approvals.need", "value"),
        ({"approvals": {"of": "sre-leads", "need": 1, "within": "0s"}}, "approvals.within", "form"),
        ({"approvals": {"of": ["alice"], "need": 1}}, "approvals.of", "type"),
        ({"review": {"by": "platform-security", "blocks": "never"}}, "review.blocks", "value"),
        ({"causes": []}, "causes", "value"),
        ({"causes": ["outage", "outage"]}, "causes.1", "value"),
        ({"causes": ["revoked"]}, "causes.0", "value"),
        ({"closes": []}, "closes", "value"),
        ({"method": []}, "method", "value"),
        ({"method": 7}, "method", "value"),
        ({"until": None}, "until", "type"),
        ({"until": "2027-06-30T10:00"}, "until", "form"),
        ({"until": "2027-06-30T10:00:00"}, "until", "form"),
        ({"owner": ""}, "owner", "form"),
        ({"reason": "one\ntwo"}, "reason", "form"),
        ({"waiver": {"owner": "ciso", "reason": "x"}}, "waiver", "missing-key"),
        ({"drill": {"every": "0s"}}, "drill.every", "form"),
        ({"probe": {}}, "probe", "value"),
        ({"probe": {"sql": "orders-db", "tcp": "a:1"}}, "probe", "value"),
        ({"probe": {"udp": "a:1"}}, "probe.udp", "unknown-key"),
        ({"probe": {"tcp": "db.internal"}}, "probe.tcp", "form"),
        ({"probe": {"tcp": "::1:5432"}}, "probe.tcp", "form"),
        ({"probe": {"http": "ftp://example.com"}}, "probe.http", "form"),
        ({"context": ["Managed Device"]}, "context.0", "form"),
        ({"target": {"postgresql-role": "Orders;Admin", "database": "orders-db"}},
         "target.postgresql-role", "form"),
        ({"target": {"postgresql-role": "orders_admin"}}, "target", "missing-key"),
        ({"target": {**STATIC, "database": "orders-db"}}, "target.database", "unknown-key"),
        ({"target": {**STATIC, "rotate": {"command": "../rotate"}}},
         "target.rotate.command", "form"),
        ({"target": {**STATIC, "rotate": {"command": "rotate now"}}},
         "target.rotate.command", "form"),
        ({"target": {**STATIC, "rotate": {}}}, "target.rotate", "value"),
        ({"authority": {"tools": {"t": {"x": {"regex": "."}}}}},
         "authority.tools.t.x.regex", "unknown-key"),
        ({"authority": {"tools": {"t": {"x": {}}}}}, "authority.tools.t.x", "value"),
        ({"authority": {"tools": {"t": {"x": {"one_of": []}}}}},
         "authority.tools.t.x.one_of", "value"),
        ({"authority": {"tools": {"t": {"x": {"all": []}}}}}, "authority.tools.t.x.all", "value"),
        ({"authority": {"tools": {"t": {"x": {"range": [1]}}}}},
         "authority.tools.t.x.range", "value"),
        ({"authority": {"tools": {"t": {"x": {"range": [True, 2]}}}}},
         "authority.tools.t.x.range.0", "type"),
        ({"authority": {"tools": {"t": {"x": {"exact": [1]}}}}},
         "authority.tools.t.x.exact", "type"),
        ({"authority": {"tools": {"t": {"x": {"any": [{"glob": "*"}, {"like": "*"}]}}}}},
         "authority.tools.t.x.any.1.like", "unknown-key"),
        ({"authority": {"tools": {"t": ["x"]}}}, "authority.tools.t", "type"),
        ({"authority": {"scopes": []}}, "authority.scopes", "value"),
    ],
)  # fmt: skip
def test_a_misfit_is_named_by_its_field(
    tmp_path: Path, fields: dict[str, Any], field: str, rule: str
) -> None:
    problem = only_problem(tmp_path, path_with(**fields))
    assert (problem.subject, problem.field, problem.rule) == (
        "orders-db-admin/break-glass",
        field,
        rule,
    )
    assert problem.fact
    assert problem.remedy


@pytest.mark.parametrize(
    "missing", ["method", "causes", "limits", "owner", "reason", "until", "review"]
)
def test_a_path_says_everything_that_bounds_it(tmp_path: Path, missing: str) -> None:
    whole = lawful()
    del whole["identities"]["orders-db-admin"]["fallbacks"]["break-glass"][missing]
    problem = only_problem(tmp_path, whole)
    assert (problem.rule, problem.fact) == ("missing-key", f"`{missing}` is missing.")


@pytest.mark.parametrize(
    "variable",
    ["PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHON_X", "BASH_ENV", "NODE_OPTIONS", "GIT_SSH", "IFS",
     "LOCUM_KEK", "lower", "A B", "A=B", "1A", "", "DYLD_INSERT_LIBRARIES", "API_KEY\n"],
)  # fmt: skip
def test_a_secret_is_never_put_into_a_variable_that_steers_programs(
    tmp_path: Path, variable: str
) -> None:
    problem = only_problem(tmp_path, path_with(target={**STATIC, "inject": variable}))
    assert (problem.field, problem.rule) == ("target.inject", "form")


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("databases", "orders-db", "admin_secret"), "hunter2 !"),
        (("databases", "orders-db"), "postgres://locum:hunter2@db.internal/orders"),
        (("identities", "alice", "notify"), ["hunter2 hunter2"]),
        ((*("identities", "orders-db-admin"), "fallbacks", "break-glass", "probe"),
         {"http": "https://me:hunter2@example.com"}),
        ((*("identities", "orders-db-admin"), "fallbacks", "break-glass", "target"),
         {**STATIC, "static": "hunter2 !"}),
    ],
)  # fmt: skip
def test_a_secret_that_was_put_in_the_wrong_place_is_not_shown(
    tmp_path: Path, way: tuple[str, ...], value: Any
) -> None:
    for problem in problems_of(tmp_path, bent(way, value)):
        assert "hunter2" not in problem.fact + problem.remedy + problem.field
