"""`/pki/…`: certificates, revocation lists and OCSP, for whoever is shown a backup certificate.

All of it is signed and public, so it is served without authentication, and over plain HTTP where
the operator opens a port for it: a client that had to check the revocation of the server that it
asks for revocation would never begin. Source: RFC 5280 §4.2.1.13, RFC 6960 §A, RFC 5019 §6.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from urllib.parse import unquote

import anyio.to_thread
from litestar import Response, get, post
from litestar.params import FromPath

from locum.http.face import Incoming, face_of
from locum.issue.authority_openbao import OpenBaoAuthority
from locum.issue.ocsp import path_request, read_ocsp_request, refuse_ocsp
from locum.model.refusal import MalformedInput, NotFound, Unavailable
from locum.service.revocations import Listed, Revocations
from locum.store.sql_certificates import SHARDS

_CRL, _OCSP = "application/pkix-crl", "application/ocsp-response"


@get("/pki/ca.pem", summary="The issuing authority, then those above it", sync_to_thread=True)
def authorities(request: Incoming) -> Response[bytes]:
    """The certificates that a relying party is to trust for backups."""
    authority = face_of(request).locum.authority
    if authority is None:
        raise _none()
    chain = authority.chain_pem
    text = chain() if callable(chain) else chain
    return Response(text.encode(), media_type="application/x-pem-file")


@get("/pki/crl.der", summary="The complete revocation list", sync_to_thread=True)
def complete(request: Incoming) -> Response[bytes]:
    """Every revoked certificate that has not expired."""
    locum = face_of(request).locum
    if isinstance(locum.authority, OpenBaoAuthority):
        return Response(locum.authority.crl(), media_type=_CRL)
    return _listed(_revocations(request).complete())


@get("/pki/crl/{part:str}", summary="A part of the revocation list", sync_to_thread=True)
def shard(request: Incoming, part: FromPath[str]) -> Response[bytes]:
    """The part that a certificate's own pointer names."""
    number, dot, kind = part.partition(".")
    if not (dot and kind == "der" and number.isdecimal() and len(number) < 4):
        raise NotFound("There is no such list.", "See the certificate's distribution point.")
    if int(number) >= SHARDS:
        raise NotFound(f"There are {SHARDS} parts.", "See the certificate's distribution point.")
    return _listed(_revocations(request).shard(int(number)))


@get("/pki/delta.der", summary="What was revoked of late", sync_to_thread=True)
def delta(request: Incoming) -> Response[bytes]:
    """A delta list, to be read with a complete one."""
    return _listed(_revocations(request).delta())


@get("/pki/root.crl.der", summary="The root's own revocation list", sync_to_thread=True)
def root_list(request: Incoming) -> Response[bytes]:
    """For relying parties that want a list of every authority in the chain."""
    found = face_of(request).root_list
    if not found:
        raise NotFound(
            "The root is not Locum's own.", "Ask the authority that signed Locum's for its list."
        )
    return Response(found, media_type=_CRL)


@post("/pki/ocsp", summary="OCSP", status_code=200)
async def ocsp(request: Incoming) -> Response[bytes]:
    """Answer one OCSP request."""
    asked = await request.body()
    return await anyio.to_thread.run_sync(_answered, request, asked)


@get("/pki/ocsp/{encoded:path}", summary="OCSP by GET", sync_to_thread=True)
def ocsp_get(request: Incoming, encoded: FromPath[str]) -> Response[bytes]:
    """Answer one OCSP request that stands in the path, in base64."""
    try:
        asked = path_request(unquote(str(encoded)).removeprefix("/"))
    except MalformedInput:
        return _ocsp(refuse_ocsp("malformed"), None)
    return _answered(request, asked)


def _answered(request: Incoming, asked: bytes) -> Response[bytes]:
    locum = face_of(request).locum
    if isinstance(locum.authority, OpenBaoAuthority):
        return _ocsp(locum.authority.ocsp(asked), None)
    try:
        read = read_ocsp_request(asked)
    except MalformedInput:
        return _ocsp(refuse_ocsp("malformed"), None)
    answer = _revocations(request).answer(read)
    return _ocsp(answer.der, answer.until)


def _ocsp(der: bytes, until: datetime | None) -> Response[bytes]:
    """An answer that may change is kept nowhere; a final one may be (RFC 5019 §6.2)."""
    if until is None:
        return Response(der, media_type=_OCSP, headers={"Cache-Control": "no-cache, no-store"})
    headers = {
        "Cache-Control": "public, max-age=30, no-transform, must-revalidate",
        "Expires": format_datetime(until, usegmt=True),
    }
    return Response(der, media_type=_OCSP, headers=headers)


def _listed(found: Listed) -> Response[bytes]:
    headers = {
        "Cache-Control": "no-cache",
        "ETag": f'"{found.number}"',
        "Last-Modified": format_datetime(found.this_update, usegmt=True),
        "Expires": format_datetime(found.next_update, usegmt=True),
    }
    return Response(found.der, media_type=_CRL, headers=headers)


def _revocations(request: Incoming) -> Revocations:
    found = face_of(request).revocations
    if found is None:
        raise _none()
    return found


def _none() -> Unavailable:
    return Unavailable(
        "No certificate authority of Locum's own is set up.",
        "Make one: `locum pki init --data DIR`.",
    )


routes = [authorities, complete, shard, delta, root_list, ocsp, ocsp_get]
