"""The HTTP server of a process: what it speaks, and what it bears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import uvicorn

from locum.http.peer import PeerProtocol, serving_context


def server_for(
    app: Any,
    certificate: str,
    key: str,
    authorities: Callable[[], str],
    *,
    lifespan: Literal["auto", "off"] = "auto",
) -> uvicorn.Server:
    """Make the server of an ASGI application; it is run on sockets that listen already.

    Args:
        certificate, key: TLS files; empty for plain HTTP on loopback.
        authorities: gives those that sign client certificates, PEM.
        lifespan: "off" where the application has none.
    """
    config = uvicorn.Config(
        app,
        ssl_certfile=certificate or None,
        ssl_keyfile=key or None,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan=lifespan,
        loop="uvloop",
        http=PeerProtocol,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        limit_concurrency=1_000,
    )
    config.load()
    if certificate:
        config.ssl = serving_context(certificate, key, authorities)
    return uvicorn.Server(config)
