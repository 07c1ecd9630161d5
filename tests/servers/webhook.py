"""A real web server that keeps the requests it gets."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.inbox import Inbox


@dataclass(frozen=True)
class Received:
    """One request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Give the body as JSON."""
        return json.loads(self.body)


class WebhookServer:
    """A web server on loopback; `inbox` has what came and can refuse for a while.

    A request that is kept gets `status` and `body`; one that is refused gets 503.
    """

    def __init__(self) -> None:
        self.inbox: Inbox[Received] = Inbox()
        self.status = 204
        self.body = b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def handler_of(server: WebhookServer) -> type[BaseHTTPRequestHandler]:
    """Make the handler that delivers to one server's inbox."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept = server.inbox.deliver(Received(self.command, self.path, headers, body))
            self.send_response(server.status if kept else 503)
            sent = server.body if kept else b""
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler
