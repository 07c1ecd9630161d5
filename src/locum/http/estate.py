"""`/v1/paths`, `/v1/findings`, `/v1/explain`: the estate in force, and what is wrong."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import FromPath, QueryParameter

from locum.estate.analysis.explained_data import ExplanationView, explanation_view
from locum.http.face import Incoming, ProvenCaller, admitted, face_of
from locum.http.views import FindingView, PathView, finding_view
from locum.service.caller import Caller
from locum.service.explain import explain_identity
from locum.service.findings import findings, standing_of
from locum.store.port import Transaction


@get("/v1/paths", summary="Declared paths and how they stand", sync_to_thread=True)
def paths(request: Incoming, proven: ProvenCaller) -> list[PathView]:
    """List every declared path; to a workload, its own."""
    locum = face_of(request).locum

    def verb(transaction: Transaction, caller: Caller) -> list[PathView]:
        shown = []
        for path in locum.estate.now.paths():
            if caller.workload and path.name.identity != caller.identity:
                continue
            standing = standing_of(locum, transaction, path)
            shown.append(
                PathView(
                    str(path.name),
                    list(path.methods),
                    sorted(cause.value for cause in path.causes),
                    path.owner,
                    path.until,
                    str(standing.strength),
                    str(standing.primary_strength),
                    [breach.fact for breach in standing.blocked],
                    standing.drill_due,
                )
            )
        return shown

    return admitted(request, proven, verb, workloads=True)


@get("/v1/findings", summary="What is wrong now", sync_to_thread=True)
def found(request: Incoming, proven: ProvenCaller) -> list[FindingView]:
    """List the findings of the estate and of what is running."""
    locum = face_of(request).locum
    return admitted(
        request,
        proven,
        lambda transaction, _: [finding_view(one) for one in findings(locum, transaction)],
    )


@get("/v1/explain/{identity:str}", summary="How an identity can be entered", sync_to_thread=True)
def explain(
    request: Incoming,
    proven: ProvenCaller,
    identity: FromPath[str],
    without: Annotated[
        list[str] | None, QueryParameter(name="without", description="Think a root or a path away.")
    ] = None,
    added: Annotated[
        list[str] | None, QueryParameter(name="with", description="Think a further method in.")
    ] = None,
) -> ExplanationView:
    """Explain an identity: its weakest way in, what it falls to, what locks it out; and what if."""
    locum = face_of(request).locum
    return admitted(
        request,
        proven,
        lambda transaction, _: explanation_view(
            explain_identity(locum, transaction, identity, without or (), added or ())
        ),
    )


routes = [paths, found, explain]
