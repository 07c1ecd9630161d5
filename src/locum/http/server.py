"""The HTTP server of a process: what it speaks, and what it bears."""

from __future__ import annotations

from typing import Any, Literal

import uvicorn


def server_for(
    app: Any, certificate: str, key: str, *, lifespan: Literal["auto", "off"] = "auto"
) -> uvicorn.Server:
    """Make the server of an ASGI application; it is run on sockets that listen already.

    Args:
        certificate, key: TLS files; empty for plain HTTP on loopback.
        lifespan: "off" where the application has none.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ssl_certfile=certificate or None,
            ssl_keyfile=key or None,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan=lifespan,
            loop="uvloop",
            http="httptools",
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
            limit_concurrency=1_000,
        )
    )
