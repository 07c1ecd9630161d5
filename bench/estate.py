"""Measure the analysis of an estate: `make bench-estate`.

Every measured part runs in a process of its own, so that its memory is its own. The first run in a
process compiles the loops; it is done on a small estate before the clock starts, and its time is
told apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import estate_beside, estate_import
from locum.estate.analysis.assess import Assessment, assess_at
from locum.estate.analysis.detect import detect
from locum.estate.analysis.explained import explain
from locum.estate.analysis.rules import Rule
from locum.estate.analysis.solved import solve
from locum.estate.generating.generate import generate, score
from locum.estate.graph import running
from locum.estate.graph.chart import Chart
from locum.estate.graph.columns import Kind, onward
from locum.estate.graph.reading import read_chart
from locum.estate.graph.solving import weakest
from locum.estate.graph.storing import write_chart

NOW = 29_950_000
_SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--identities", type=int, default=1_000_000, help="0 leaves the analysis out"
    )
    parser.add_argument("--large", type=int, default=10_000_000, help="0 leaves it out")
    parser.add_argument("--beside", type=int, default=20_000, help="0 leaves others out")
    parser.add_argument("--import-mb", type=int, default=1_000, help="0 leaves imports out")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        print(json.dumps(_PARTS[chosen.part](chosen.folder, chosen.identities)))
        return
    with tempfile.TemporaryDirectory(prefix="locum-estate-") as scratch:
        small = _measured(Path(scratch), chosen.identities) if chosen.identities else {}
        if small and chosen.large:
            large = _measured(Path(scratch), chosen.large)
            times = large["arcs"] / small["arcs"]
            grown = large["assess_s"] / small["assess_s"] / times
            print(f"growth of all analyses with {times:.1f} x the arcs: {grown:.2f} x of linear")
            solved = large["solve_s"] / small["solve_s"] / times
            print(f"growth of the solve alone: {solved:.2f} x of linear")
    if chosen.import_mb:
        estate_import.report(chosen.import_mb)
    if chosen.beside:
        estate_beside.report(chosen.beside, NOW, _SEED)


def _measured(scratch: Path, identities: int) -> dict[str, Any]:
    folder = scratch / str(identities)
    print(f"\n== {identities:,} identities")
    made = _in_own_process("generate", folder, identities)
    print(
        f"generated in {made['seconds']:.1f} s: {made['vertices']:,} vertices, {made['arcs']:,} "
        f"arcs, {made['stored_mb']:.0f} MB of Parquet"
    )
    found = _in_own_process("assess", folder, identities)
    print(f"loops compiled or read from the cache   {found['compile_s']:8.2f} s")
    print(f"load from Parquet, digests checked      {found['load_s']:8.2f} s")
    print(
        f"weakest way in for all (median of 5)     {found['solve_s']:8.3f} s   "
        f"{found['sweeps_gb']:.2f} GB at {found['solve_gb_s']:.1f} GB/s, "
        f"{100 * found['share']:.0f} % of the {found['copy_gb_s']:.1f} GB/s that a copy reaches"
    )
    print(f"columns that the solve reads             {found['bytes_per_arc']:8.1f} bytes an arc")
    print(f"all analyses of the graph                {found['analyses_s']:8.2f} s")
    print(f"findings ({found['findings']:,}) and verdicts    {found['findings_s']:8.2f} s")
    print(f"load, all analyses, findings: whole      {found['whole_s']:8.2f} s")
    print(f"peak memory of that process              {found['peak_gib']:8.2f} GiB")
    print(
        f"what-if, {found['asked']} identities            p50 {found['what_if_p50_ms']:.1f} ms, "
        f"p99 {found['what_if_p99_ms']:.1f} ms, worst {found['what_if_max_ms']:.1f} ms"
    )
    print("planted faults                     planted  found  recall  precision")
    for rule, (planted, seen, recall, precision) in found["scores"].items():
        print(f"  {rule:<32} {planted:>7,} {seen:>6,}  {recall:6.1%}     {precision:6.1%}")
    return {**found, **made, "assess_s": found["analyses_s"] + found["findings_s"]}


def _in_own_process(part: str, folder: Path, identities: int) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable, "-m", "bench.estate", "--part", part,
            "--folder", str(folder), "--identities", str(identities),
        ],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


def _generate(folder: Path, identities: int) -> dict[str, Any]:
    begun = time.perf_counter()
    made = generate(identities, _SEED, NOW)
    seconds = time.perf_counter() - begun
    write_chart(made.chart, folder)
    truth = {rule.name: planted.tolist() for rule, planted in made.truth.items()}
    (folder / "truth.json").write_text(json.dumps(truth))
    graph = made.chart.graph
    stored = sum(file.stat().st_size for file in folder.glob("*.parquet"))
    return {
        "seconds": seconds,
        "vertices": graph.vertices,
        "arcs": graph.arcs,
        "stored_mb": stored / 1e6,
    }


def _assess(folder: Path, _: int) -> dict[str, Any]:
    compiling = _timed(_compile)
    begun = time.perf_counter()
    chart = read_chart(folder)
    loaded = time.perf_counter()
    solved = solve(chart, lambda _: None)
    analysed = time.perf_counter()
    assessment = assess_findings(chart, solved)
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    graph = chart.graph
    around = solved.around
    times = [_timed(lambda: weakest(graph, lambda: around)) for _ in range(5)]
    seconds = sorted(times)[2]
    # Two sweeps over everything, and little after them. A sweep reads the columns of arcs once,
    # and the values of heads and bodies.
    read = graph.bytes - graph.kind.nbytes - graph.why.nbytes + 2 * len(graph.body)
    copy = _copy_gb_s()
    truth = json.loads((folder / "truth.json").read_text())
    scores = score(
        chart,
        {Rule[name]: np.array(planted, np.int32) for name, planted in truth.items()},
        assessment.findings,
    )
    asked = _what_if(chart)
    return {
        "compile_s": compiling,
        "load_s": loaded - begun,
        "analyses_s": analysed - loaded,
        "findings_s": ended - analysed,
        "whole_s": ended - begun,
        "findings": len(assessment.findings),
        "peak_gib": peak,
        "solve_s": seconds,
        "sweeps_gb": 2 * read / 1e9,
        "solve_gb_s": 2 * read / seconds / 1e9,
        "copy_gb_s": copy,
        "share": 2 * read / seconds / 1e9 / copy,
        "bytes_per_arc": read / graph.arcs,
        "asked": len(asked),
        "what_if_p50_ms": 1000 * float(np.percentile(asked, 50)),
        "what_if_p99_ms": 1000 * float(np.percentile(asked, 99)),
        "what_if_max_ms": 1000 * max(asked),
        "scores": {
            rule.id: (one.planted, one.found, one.recall, one.precision)
            for rule, one in scores.items()
        },
    }


def assess_findings(chart: Chart, solved: Any) -> Assessment:
    """Findings and verdicts out of what is solved already."""
    from locum.estate.analysis.verdicts import judge

    findings = detect(chart, solved, NOW)
    return Assessment(chart, solved, findings, judge(chart, findings, NOW), NOW)


def _compile() -> None:
    before, running.COMPILED_FROM = running.COMPILED_FROM, 0
    assess_at(generate(500, _SEED, NOW).chart, NOW)
    running.COMPILED_FROM = before


def _what_if(chart: Chart) -> list[float]:
    """Ask of random identities what would be without their weakest thing and with a second key."""
    rng = np.random.default_rng(_SEED)
    identities = np.flatnonzero(chart.graph.kind == Kind.IDENTITY)
    around = onward(chart.graph)
    del around
    times = []
    for vertex in rng.choice(identities, 200, replace=False):
        name = chart.names[vertex]
        begun = time.perf_counter()
        explain(chart, name, NOW, without=[f"{name}#primary"], added=["second-key"])
        times.append(time.perf_counter() - begun)
    return times


def _copy_gb_s() -> float:
    """Memory bandwidth of one core: a copy reads and writes every byte."""
    source = np.ones(1 << 27, np.uint8)
    target = np.empty_like(source)
    best = min(_timed(lambda: np.copyto(target, source)) for _ in range(7))
    return 2 * source.nbytes / best / 1e9


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


_PARTS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "generate": _generate,
    "assess": _assess,
}

if __name__ == "__main__":
    main()
