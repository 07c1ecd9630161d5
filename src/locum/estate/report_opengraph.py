"""The graph as OpenGraph JSON, to look at in BloodHound."""

from __future__ import annotations

from typing import Any

from locum.estate.analysis.words import strength_words
from locum.estate.checking import Report
from locum.estate.graph.columns import Kind, Why
from locum.estate.report_xml import use_words


def as_opengraph(report: Report) -> dict[str, Any]:
    """Nodes and edges; an arc that needs several is a node of its own, as edges there are binary.

    Source: BloodHound, OpenGraph schema (`graph.nodes`, `graph.edges`).
    """
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    if report.assessment is not None:
        chart, value = report.assessment.chart, report.assessment.solved.value
        graph = chart.graph
        for vertex in range(graph.vertices):
            kind = Kind(int(graph.kind[vertex])).name.title().replace("_", "")
            properties = {"name": chart.names[vertex], "worth": strength_words(int(value[vertex]))}
            nodes.append(_node(f"v{vertex}", f"Locum{kind}", properties))
        heads = graph.heads
        for arc in range(graph.arcs):
            why = "Locum" + Why(int(graph.why[arc])).name.title().replace("_", "")
            use = use_words(int(graph.use[arc]))
            body = graph.body[graph.body_first[arc] : graph.body_first[arc + 1]].tolist()
            target = f"v{heads[arc]}"
            if len(body) > 1:
                properties = {"name": f"{graph.need[arc] or len(body)} of {len(body)}"}
                nodes.append(_node(f"a{arc}", "LocumTogether", properties))
                edges.append(_edge(f"a{arc}", target, why, use))
                target = f"a{arc}"
            edges += [_edge(f"v{one}", target, why, use) for one in body]
    return {"metadata": {"source_kind": "Locum"}, "graph": {"nodes": nodes, "edges": edges}}


def _node(name: str, kind: str, properties: dict[str, str]) -> dict[str, Any]:
    return {"id": name, "kinds": [kind], "properties": properties}


def _edge(start: str, end: str, kind: str, use: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "start": {"match_by": "id", "value": start},
        "end": {"match_by": "id", "value": end},
        "properties": {"use": use},
    }
