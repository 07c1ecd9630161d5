"""`locum explain`: how one identity can really be entered, and what would change that."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import msgspec
import typer

from locum.cli.output import OK, console, errors_explained, show
from locum.estate.analysis.explained import explain
from locum.estate.analysis.explained_data import ExplanationView, StandingView, explanation_view
from locum.estate.analysis.words import shown, strength_words
from locum.estate.graph.lattice import NO_WAY
from locum.estate.graph.ways import minutes
from locum.estate.opening import charted
from locum.model.refusal import Unavailable

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
    live: Annotated[
        bool, typer.Option("--live", help="Ask the running Locum that you are signed in at.")
    ] = False,
    pairs: Annotated[bool, typer.Option("--pairs", help="Also what suffices in pairs.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print data.")] = False,
) -> None:
    """Explain an identity: its weakest way in, what it falls to, what locks it out; and what if."""
    if live and pairs:
        raise typer.BadParameter("only of an estate of files", param_hint="--pairs")
    with errors_explained():
        if live:
            found = _asked(identity, without or [], with_ or [])
        else:
            now = datetime.now(UTC)
            chart = charted(estate)
            found = explanation_view(
                explain(chart, identity, minutes(now), without or (), with_ or (), pairs)
            )
    show(
        msgspec.to_builtins(found),
        as_data,
        lambda _: console.print(_text(found), markup=False),
    )
    raise typer.Exit(OK)


def _asked(identity: str, without: list[str], added: list[str]) -> ExplanationView:
    from locum.cli.client import saved_client  # nobody waits for it who explains files

    query = {"without": without, "with": added}
    answer = saved_client().get(f"/v1/explain/{quote(identity, safe='')}", **query)
    try:
        return msgspec.convert(answer, ExplanationView)
    except msgspec.ValidationError:
        raise Unavailable(
            "The answer is no explanation.", "Upgrade this `locum`, or the one that serves."
        ) from None


def _text(found: ExplanationView) -> str:
    if found.then is None:
        return "\n".join(_lines(found.identity, found.now))
    gone = _ids(found.now) - _ids(found.then)
    come = _ids(found.then) - _ids(found.now)
    return "\n".join(
        [
            "Now:",
            *_lines(found.identity, found.now),
            "",
            "Then:",
            *_lines(found.identity, found.then),
            "",
            *(f"  gone: {rule} of {subject}" for rule, subject in sorted(gone)),
            *(f"  new:  {rule} of {subject}" for rule, subject in sorted(come)),
        ]
    ).rstrip()


def _ids(standing: StandingView) -> set[tuple[str, str]]:
    return {(one.rule, one.subject) for one in standing.findings}


def _lines(identity: str, standing: StandingView) -> list[str]:
    findings = [
        f"  {one.severity}: {one.rule}: {one.fact} {one.remedy}" for one in standing.findings
    ]
    if standing.weakest == strength_words(NO_WAY) and not standing.locked_out_by:
        return [f"Nothing of this estate leads into {identity}.", *findings]
    lines = [f"{identity} can be entered with {standing.weakest}."]
    for name, worth in standing.ways.items():
        lines.append(f"  {shown(name)}: {worth}")
    for weaker in standing.weaker_than_primary:
        lines.append(f"  weaker than its primary in {weaker.component}:")
        lines += [f"    {at}. {step}" for at, step in enumerate(weaker.chain, 1)]
    lines.append(f"  falls to any one of: {_listed(standing.falls_to)}")
    if standing.falls_to_pairs:
        lines.append("  falls to any two of:")
        lines += [f"    {shown(one)} and {shown(other)}" for one, other in standing.falls_to_pairs]
    if standing.locked_out_by is None:
        lines.append("  has no way in.")
    elif standing.locked_out_by_more:
        lines.append("  locked out by the loss of any one of more things than can be told.")
    else:
        lines.append(f"  locked out by the loss of any one of: {_listed(standing.locked_out_by)}")
    return [*lines, *findings]


def _listed(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names) or "nothing"
