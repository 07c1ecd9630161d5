"""The graph as OpenGraph JSON, to look at in BloodHound."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from locum.estate.analysis.words import strength_words
from locum.estate.checking import Report
from locum.estate.graph.columns import Kind, Why
from locum.estate.report_xml import use_words


def as_opengraph(report: Report, estate: str) -> dict[str, Any]:
    """Nodes and edges; an arc that needs several is a node of its own, as edges there are binary.

    Args:
        estate: what the estate is called. A node has the same id at each upload of one estate, and
            another in each other estate, whatever stands before it in the files.

    Source: BloodHound, OpenGraph schema (`graph.nodes`, `graph.edges`).
    """
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, Any]] = []
    if report.assessment is not None:
        chart, value = report.assessment.chart, report.assessment.solved.value
        graph, names = chart.graph, list(chart.names)
        ids = [_id(estate, name) for name in names]
        for vertex, (name, node) in enumerate(zip(names, ids, strict=True)):
            kind = Kind(int(graph.kind[vertex])).name.title().replace("_", "")
            worth = strength_words(int(value[vertex]))
            properties = {"name": name, "estate": estate, "worth": worth}
            nodes.append(_node(node, f"Locum{kind}", properties))
        for arc, head in enumerate(graph.heads.tolist()):
            why = "Locum" + Why(int(graph.why[arc])).name.title().replace("_", "")
            use, need = use_words(int(graph.use[arc])), int(graph.need[arc])
            body = graph.body[graph.body_first[arc] : graph.body_first[arc + 1]].tolist()
            target = ids[head]
            if len(body) > 1:
                said = (str(need), str(graph.own[arc]), *sorted(names[one] for one in body))
                together = _id(estate, names[head], why, use, *said)
                properties = {"name": f"{need or len(body)} of {len(body)}", "estate": estate}
                nodes.append(_node(together, "LocumTogether", properties))
                edges.append(_edge(together, target, why, use))
                target = together
            edges += [_edge(ids[one], target, why, use) for one in body]
    return {"metadata": {"source_kind": "Locum"}, "graph": {"nodes": nodes, "edges": edges}}


def _id(*words: str) -> str:
    """An id of digits and capitals, as BloodHound makes capitals of all ids."""
    return blake2b("\0".join(words).encode(errors="replace"), digest_size=16).hexdigest().upper()


def _node(name: str, kind: str, properties: dict[str, str]) -> dict[str, Any]:
    return {"id": name, "kinds": [kind], "properties": properties}


def _edge(start: str, end: str, kind: str, use: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "start": {"match_by": "id", "value": start},
        "end": {"match_by": "id", "value": end},
        "properties": {"use": use},
    }
