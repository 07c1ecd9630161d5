"""`/v1/paths`, `/v1/findings`: the estate in force, and what is wrong with it now."""

from __future__ import annotations

from litestar import get

from locum.http.face import Incoming, ProvenCaller, admitted, face_of
from locum.http.views import FindingView, PathView, finding_view
from locum.service.caller import Caller
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


routes = [paths, found]
