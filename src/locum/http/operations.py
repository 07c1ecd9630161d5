"""`/healthz`, `/readyz`, `/metrics`: for those who keep Locum running."""

from __future__ import annotations

from litestar import Response, get
from litestar.serialization import encode_json
from prometheus_client import CONTENT_TYPE_LATEST

from locum.http.face import Incoming, face_of
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.service.metrics import exposition


@get("/healthz", summary="The process answers")
async def healthz() -> dict[str, str]:
    """Tell that the process answers; says nothing about what it can do."""
    return {"status": "ok"}


@get("/readyz", summary="Acts would be accepted", sync_to_thread=True)
def readyz(request: Incoming) -> dict[str, str]:
    """Tell whether acts would be accepted now; 503 with what to do where they would not."""
    locum = face_of(request).locum
    locum.store.ready()
    locum.vault.ready()
    if isinstance(locum.authority, OpenBaoAuthority):
        locum.authority.chain_pem()
    return {"status": "ready"}


@get("/metrics", summary="Prometheus metrics", sync_to_thread=True)
def metrics(request: Incoming) -> Response[bytes]:
    """The metrics in Prometheus' text format; they name no person and no secret."""
    return Response(exposition(face_of(request).locum), media_type=CONTENT_TYPE_LATEST)


@get("/openapi.json", summary="This document", include_in_schema=False, sync_to_thread=False)
def openapi(request: Incoming) -> Response[bytes]:
    """The OpenAPI 3.1 document of every endpoint."""
    document = encode_json(request.app.openapi_schema.to_schema())
    return Response(document, media_type="application/json")


routes = [healthz, readyz, metrics, openapi]
