"""Reports as XML: JUnit for pipelines, GraphML for whoever draws graphs."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from locum.estate.analysis.words import strength_words
from locum.estate.checking import Report
from locum.estate.graph.columns import OPENS, TAKES, Kind, Why
from locum.estate.problem import Problem


def as_junit(report: Report) -> str:
    """The report as JUnit: a test case each finding, failed where it is no note."""
    failed = len(report.problems)
    suite = Element(
        "testsuite", name="locum check", tests=str(failed + len(report.notes)), failures=str(failed)
    )
    for problem in (*report.problems, *report.notes):
        case = SubElement(
            suite, "testcase", classname=problem.rule, name=_xml(problem.subject or "the estate"),
            file=_xml(problem.position.file), line=str(problem.position.line),
        )  # fmt: skip
        if problem.severity != "note":
            said = SubElement(case, "failure", type=problem.severity, message=_xml(problem.fact))
            said.text = _xml(_whole(problem))
    return _written(suite)


def as_graphml(report: Report) -> str:
    """The graph as GraphML: a node each vertex and each arc that needs several."""
    root = Element("graphml", xmlns="http://graphml.graphdrawing.org/xmlns")
    for name, of in (("name", "node"), ("kind", "node"), ("worth", "node"), ("why", "edge")):
        SubElement(root, "key", {"id": name, "for": of, "attr.name": name, "attr.type": "string"})
    SubElement(root, "key", {"id": "use", "for": "edge", "attr.name": "use", "attr.type": "string"})
    drawing = SubElement(root, "graph", id="estate", edgedefault="directed")
    if report.assessment is None:
        return _written(root)
    chart, value = report.assessment.chart, report.assessment.solved.value
    graph = chart.graph
    for vertex in range(graph.vertices):
        node = SubElement(drawing, "node", id=f"v{vertex}")
        _data(node, "name", chart.names[vertex])
        _data(node, "kind", Kind(int(graph.kind[vertex])).shown)
        _data(node, "worth", strength_words(int(value[vertex])))
    heads = graph.heads
    for arc in range(graph.arcs):
        body = graph.body[graph.body_first[arc] : graph.body_first[arc + 1]].tolist()
        target = f"v{heads[arc]}"
        if len(body) > 1:
            SubElement(drawing, "node", id=f"a{arc}")
            _edge(drawing, f"a{arc}", target, int(graph.why[arc]), int(graph.use[arc]))
            target = f"a{arc}"
        for one in body:
            _edge(drawing, f"v{one}", target, int(graph.why[arc]), int(graph.use[arc]))
    return _written(root)


def use_words(use: int) -> str:
    """What an arc counts for."""
    return {TAKES: "taking over", OPENS: "having a way in"}.get(use, "both")


def _edge(drawing: Element, source: str, target: str, why: int, use: int) -> None:
    edge = SubElement(drawing, "edge", source=source, target=target)
    _data(edge, "why", Why(why).name.lower().replace("_", "-"))
    _data(edge, "use", use_words(use))


def _data(holder: Element, key: str, text: str) -> None:
    SubElement(holder, "data", key=key).text = _xml(text)


def _whole(problem: Problem) -> str:
    """Where, which clauses, what, how it comes about, what to do."""
    clauses = [f"[{', '.join(problem.clauses)}]"] if problem.clauses else []
    chain = [f"  {at}. {step}" for at, step in enumerate(problem.chain, 1)]
    lines = [str(problem.position), *clauses, problem.fact, *chain, problem.remedy]
    return "\n".join(lines)


def _xml(text: str) -> str:
    """A text without what XML cannot hold."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)


def _written(root: Element) -> str:
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True)
