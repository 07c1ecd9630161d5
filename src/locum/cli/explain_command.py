"""`locum explain`: how one identity can really be entered, and what would change that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from locum.cli.output import OK, console, errors_explained, show
from locum.estate.analysis.explained import Explanation, Standing, explain
from locum.estate.analysis.explained_data import explanation_view
from locum.estate.analysis.words import shown, strength_words
from locum.estate.graph.ways import minutes
from locum.estate.opening import charted

Names = Annotated[list[str] | None, typer.Option(help="Think it away: a root, or a path.")]


def explain_identity(
    identity: Annotated[str, typer.Argument(help="An identity, e.g. alice.")],
    estate: Annotated[
        Path, typer.Option(help="A YAML file, a folder of them, or a stored graph.")
    ] = Path(),
    without: Names = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", help="Think a further way in: a method, or second-key."),
    ] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="Also what suffices in pairs.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Explain an identity: its weakest way in, what it falls to, what locks it out; and what if."""
    now = datetime.now(UTC)
    with errors_explained():
        chart = charted(estate, now)
        found = explain(chart, identity, minutes(now), without or (), with_ or (), pairs)
    show(
        msgspec.to_builtins(explanation_view(found)),
        as_data,
        lambda _: console.print(_text(found), markup=False),
    )
    raise typer.Exit(OK)


def _text(found: Explanation) -> str:
    if found.after is None:
        return "\n".join(_lines(found.identity, found.before))
    gone = _ids(found.before) - _ids(found.after)
    come = _ids(found.after) - _ids(found.before)
    return "\n".join(
        [
            "Now:",
            *_lines(found.identity, found.before),
            "",
            "Then:",
            *_lines(found.identity, found.after),
            "",
            *(f"  gone: {rule} of {subject}" for rule, subject in sorted(gone)),
            *(f"  new:  {rule} of {subject}" for rule, subject in sorted(come)),
        ]
    ).rstrip()


def _ids(standing: Standing) -> set[tuple[str, str]]:
    return {(one.rule, one.subject) for one in standing.findings}


def _lines(identity: str, standing: Standing) -> list[str]:
    lines = [f"{identity} can be entered with {strength_words(standing.weakest)}."]
    for name, worth in standing.ways:
        lines.append(f"  {shown(name)}: {strength_words(worth)}")
    for component, chain in standing.weaker_than_primary:
        lines.append(f"  weaker than its primary in {component}:")
        lines += [f"    {at}. {step}" for at, step in enumerate(chain, 1)]
    lines.append(f"  falls to any one of: {_listed(standing.alone)}")
    if standing.pairs:
        lines.append("  falls to any two of:")
        lines += [f"    {shown(one)} and {shown(other)}" for one, other in standing.pairs]
    if standing.lost_with is None:
        lines.append("  has no way in.")
    else:
        lines.append(f"  locked out by the loss of any one of: {_listed(standing.lost_with)}")
    for problem in standing.findings:
        lines.append(f"  {problem.severity}: {problem.rule}: {problem.fact} {problem.remedy}")
    return lines


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(shown(name) for name in names) or "nothing"
