"""The application: every endpoint, its errors and its limits, put together."""

from __future__ import annotations

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from locum import __version__
from locum.http import (
    acme,
    estate,
    grants,
    ledger,
    oauth,
    operations,
    people,
    pki,
    requests,
    revocations,
)
from locum.http.face import Face, Incoming, proved
from locum.http.problems import answer_bug, answer_depth, answer_error, answer_http_error
from locum.http.revocations import Listeners
from locum.model.refusal import LocumError
from locum.service.caller import Proven

LARGEST_BODY = 64 * 1024
LARGEST_QUESTION = 8 * 1024


async def proven_caller(request: Incoming) -> Proven:
    """What the framework's endpoints get as `proven`."""
    return await proved(request)


def make_app(face: Face, origin: str) -> Litestar:
    """Make the ASGI application.

    Args:
        face: what the endpoints work with.
        origin: the public address, e.g. `https://locum.example`.
    """
    return Litestar(
        route_handlers=[
            requests.router,
            grants.router,
            *estate.routes,
            *people.routes,
            *oauth.routes,
            *ledger.routes,
            *operations.routes,
            *pki.routes,
            *revocations.routes,
            *acme.routes,
        ],
        dependencies={"proven": Provide(proven_caller)},
        exception_handlers={
            LocumError: answer_error,
            HTTPException: answer_http_error,
            RecursionError: answer_depth,
            Exception: answer_bug,
        },
        openapi_config=OpenAPIConfig(
            title="Locum",
            version=__version__,
            description="The authority for fallback authentication.",
            components=Components(
                security_schemes={
                    "dpop": SecurityScheme(
                        type="http", scheme="dpop", description="RFC 9449: token and proof"
                    )
                }
            ),
            render_plugins=[],
        ),
        request_max_body_size=LARGEST_BODY,
        state=State({"face": face, "origin": origin, "listeners": Listeners(face)}),
        debug=False,
        logging_config=None,
    )


def make_pki_app(face: Face) -> Litestar:
    """Make the application of the plain HTTP port: what is signed and public, nothing else."""
    return Litestar(
        route_handlers=[*pki.routes],
        exception_handlers={
            LocumError: answer_error,
            HTTPException: answer_http_error,
            Exception: answer_bug,
        },
        openapi_config=None,
        request_max_body_size=LARGEST_QUESTION,
        state=State({"face": face}),
        debug=False,
        logging_config=None,
    )
