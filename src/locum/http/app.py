"""The application: every endpoint, its errors and its limits, put together."""

from __future__ import annotations

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from locum import __version__
from locum.http import estate, grants, ledger, oauth, operations, people, requests
from locum.http.face import Face, prove
from locum.http.problems import answer_bug, answer_error, answer_http_error
from locum.model.refusal import LocumError

LARGEST_BODY = 64 * 1024


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
        ],
        dependencies={"proven": Provide(prove, sync_to_thread=False)},
        exception_handlers={
            LocumError: answer_error,
            HTTPException: answer_http_error,
            Exception: answer_bug,
        },
        openapi_config=OpenAPIConfig(
            title="Locum",
            version=__version__,
            path="/openapi.json",
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
        state=State({"face": face, "origin": origin}),
        debug=False,
        logging_config=None,
    )
