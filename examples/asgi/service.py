"""A service that wants client certificates, and cuts a backup off as soon as it is revoked.

    python examples/asgi/service.py --locum https://locum.example:8440 --issuer ca.pem \
        --clients corporate.pem --certificate service.pem --key service.key

`ca.pem` is Locum's /pki/ca.pem, fetched once and kept with your configuration. Whoever connects
with a primary of your own authority is served; whoever connects with a backup is served while
Locum says that it is not revoked. Any ASGI application takes the place of `application`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import uvicorn

from locum.guard.asgi import Message, Receive, Send
from locum.guard.following import following
from locum.guard.uvicorn import client_certificates_required, guarded


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Answer `served`."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served\n"})


def main() -> None:
    """Serve until Ctrl-C."""
    told = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    told.add_argument("--locum", required=True, help="Locum's address, https")
    told.add_argument("--ca-file", default="", help="the authority of Locum's TLS certificate")
    told.add_argument("--issuer", type=Path, required=True, help="Locum's /pki/ca.pem")
    told.add_argument("--clients", type=Path, required=True, help="your authority of primaries")
    told.add_argument("--certificate", required=True)
    told.add_argument("--key", required=True)
    told.add_argument("--port", type=int, default=8443)
    args = told.parse_args()
    issuer = args.issuer.read_text()
    with (
        following(args.locum, issuer, ca_file=args.ca_file) as revocations,
        tempfile.NamedTemporaryFile("w", suffix=".pem") as authorities,
    ):
        # Locum's issuing authority itself is trusted, not all that stands below its root.
        end = "-----END CERTIFICATE-----\n"
        authorities.write(args.clients.read_text() + issuer[: issuer.index(end)] + end)
        authorities.flush()
        context = client_certificates_required(args.certificate, args.key, authorities.name)
        uvicorn.run(
            application,
            port=args.port,
            http=guarded(revocations),
            ssl_context_factory=lambda *_: context,
            log_level="warning",
        )


if __name__ == "__main__":
    main()
