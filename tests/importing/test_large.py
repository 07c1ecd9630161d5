"""Exports that are read in parts give what they give as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from locum.cli.main import app
from locum.estate.checking import of_chart
from locum.estate.gathering import store
from locum.estate.graph.chart import Chart, chart
from locum.estate.graph.joining import join
from locum.estate.graph.reading import read_chart
from locum.estate.graph.sharing import Part
from locum.estate.graph.storing import write_chart
from locum.estate.importing import csv_table, parts
from locum.estate.importing.csv_table import read_csv
from locum.estate.importing.export import in_memory
from locum.estate.importing.keycloak import read_keycloak
from locum.estate.inventory import (
    Holder,
    Inventory,
    Quorum,
    Role,
    Root,
    RootWay,
    Way,
)
from locum.estate.problem import EstateError, Position, Problem
from locum.model.estate import Kind
from tests.importing.whole import together

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HEAD = "identity,kind,role,method,rests_on,created,ends\n"
TABLE = HEAD + "".join(
    f"person-{at},human,primary,password+totp,device:phone-{at % 40} identity-provider:corp,,\n"
    f"svc-{at},workload,primary,oidc-workload-token,,2026-01-01,\n"
    f"svc-{at},workload,found,api-key,vault:kv-{at % 7},2023-01-0{at % 9 + 1},never\n"
    f"person-{at},human,found,email-code,mailbox:person-{at}@example.com,,\n"
    for at in range(100)
)


def _quiet(_: float) -> None:
    """Nobody looks on."""


def _said(drawn: Chart) -> tuple[object, ...]:
    """Everything that a chart says, by names, in an order of its own."""
    graph, names = drawn.graph, [str(one) for one in drawn.names]
    heads, first = graph.heads, graph.body_first
    return (
        sorted(
            (name, int(graph.base[at]), int(graph.kind[at]), int(drawn.unknown[at]),
             int(drawn.person[at]), int(drawn.privileged[at]))
            for at, name in enumerate(names)
        ),
        sorted(
            (names[heads[at]], sorted(names[one] for one in graph.body[first[at] : first[at + 1]]),
             *(int(column[at]) for column in (graph.own, graph.need, graph.use, graph.why)))
            for at in range(graph.arcs)
        ),
        sorted(
            (names[drawn.ways.vertex[row]], names[drawn.ways.identity[row]],
             names[drawn.ways.vertex[drawn.ways.primary[row]]], int(drawn.ways.created[row]),
             str(drawn.places[int(drawn.ways.vertex[row])]), drawn.notes.get(row))
            for row in range(len(drawn.ways))
        ),
        sorted((one.rule, one.subject, one.severity) for one in _findings(drawn)),
    )  # fmt: skip


def _findings(drawn: Chart) -> Iterator[Problem]:
    report = of_chart(drawn, NOW, in_full=0)
    yield from (*report.problems, *report.notes)


def test_a_large_table_gives_what_a_small_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = in_memory(TABLE.encode(), "t.csv")
    [whole] = read_csv(export)
    monkeypatch.setattr(csv_table, "LARGEST_PART", 2_000)
    in_parts = [*read_csv(export)]
    assert len(in_parts) > 4
    assert {one.name for one in together(in_parts).holders} == {one.name for one in whole.holders}
    store(in_parts, tmp_path / "graph", _quiet)
    assert _said(read_chart(tmp_path / "graph")) == _said(chart(whole))
    assert not [*(tmp_path / "graph").glob("parts-*")]


def test_a_realm_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [
        {
            "username": f"user-{at}",
            "email": f"user-{at}@example.com",
            "enabled": True,
            "credentials": [{"type": "password"}],
            "realmRoles": ["admin"] if at % 10 == 0 else [],
        }
        for at in range(50)
    ]
    realm = {"clients": [], "resetPasswordAllowed": True, "users": users, "realm": "corp"}
    export = in_memory(json.dumps(realm).encode(), "realm.json")
    whole = together(read_keycloak(export))
    monkeypatch.setattr(parts, "MOST", 8)
    store(read_keycloak(export), tmp_path, _quiet)
    assert _said(read_chart(tmp_path)) == _said(chart(whole))


def _part(name: str, *, way: Way | None = None, root: Root | None = None) -> Inventory:
    place = Position(f"{name}.json", 3, 1)
    holder = Holder(name, Kind.HUMAN, place, privileged=True)
    primary = Way(name, name, Role.PRIMARY, ("password",), place, {"": ("identity-provider:corp",)})
    roots = (root,) if root else ()
    return Inventory((holder,), (primary, way) if way else (primary,), roots)


def test_what_one_part_mentions_and_another_defines_is_one(tmp_path: Path) -> None:
    at = Position("b.json", 7, 1)
    corp = Root(
        "identity-provider:corp", at, (RootWay(("password",), ("mailbox:x@example.com",)),),
        Quorum("administrators", frozenset({"alice"})),
    )  # fmt: skip
    extra = Way(
        "alice/elsewhere", "alice", Role.FOUND, ("api-key",), at, wider="may do more",
        approvals=Quorum("both", frozenset({"alice", "carol"}), 2),
    )  # fmt: skip
    inventories = (_part("bob", way=extra, root=corp), _part("alice"), _part("carol", root=corp))
    store(inventories, tmp_path, _quiet)
    assert _said(read_chart(tmp_path)) == _said(chart(together(inventories)))


def test_an_identity_in_two_parts_is_refused_with_both_places(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_chart(chart(_part("alice")), tmp_path / name)
    with pytest.raises(EstateError) as refused:
        join([Part(tmp_path / "a"), Part(tmp_path / "b")], tmp_path / "out", _quiet)
    assert [str(one.position) for one in refused.value.problems] == ["alice.json:3:1"] * 2
    join([Part(tmp_path / "a"), Part(tmp_path / "b", "b.")], tmp_path / "out", _quiet)
    assert {"alice", "b.alice"} <= set(read_chart(tmp_path / "out").names)


def test_the_command_reads_a_large_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "LARGEST_PART", 2_000)
    table, graph = tmp_path / "t.csv", tmp_path / "graph"
    table.write_text(TABLE)
    done = CliRunner().invoke(
        app, ["import", "csv", str(table), "--store", str(graph), "--no-check"]
    )
    assert done.exit_code == 0, done.output
    assert "locum check" in done.output
    found = CliRunner().invoke(app, ["check", str(graph)]).output
    assert "200 identities" in found
    assert CliRunner().invoke(app, ["import", "csv", str(table)]).output == found
    proposed = str(tmp_path / "p.yaml")
    done = CliRunner().invoke(app, ["import", "csv", str(table), "--propose", proposed])
    assert done.exit_code == 2
    assert "too many identities" in done.output
    assert CliRunner().invoke(app, ["import", "csv", str(table), "--no-check"]).exit_code == 2


def test_a_row_that_does_not_fit_is_refused_in_a_large_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "LARGEST_PART", 2_000)
    broken = TABLE + "x,robot,primary,totp,,,\n"
    with pytest.raises(EstateError) as refused:
        store(read_csv(in_memory(broken.encode(), "t.csv")), tmp_path / "graph", _quiet)
    assert str(refused.value.problems[0].position) == "t.csv:402:1"
    assert not (tmp_path / "graph" / "estate.json").exists()
