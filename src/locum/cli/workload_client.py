"""A workload's calls: over mTLS with its certificate, whose key only the TLS library reads."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import httpx
import msgspec

from locum.cli.answers import checked_origin, raise_problem, trusting, unreached
from locum.model.refusal import MalformedInput, Unavailable

_SECONDS = 30.0


class WorkloadClient:
    """Calls to one Locum as the holder of a certificate.

    Args:
        origin: Locum's address, https.
        certificate, key: PEM files.
        ca_file: the authority of Locum's own certificate; empty for the system's.

    Raises:
        MalformedInput: a file cannot be read, or the two do not fit.
    """

    def __init__(self, origin: str, certificate: Path, key: Path, ca_file: str = "") -> None:
        self.origin = checked_origin(origin)
        context = trusting(ca_file) if ca_file else httpx.create_ssl_context()
        try:
            context.load_cert_chain(certificate, key)
        except OSError:
            raise MalformedInput(
                f"{certificate} and {key} are no certificate and its key.",
                "Name the PEM files of the primary: --certificate and --key.",
            ) from None
        self._http = httpx.Client(base_url=self.origin, timeout=_SECONDS, verify=context)

    def __repr__(self) -> str:
        return f"WorkloadClient({self.origin})"

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def get(self, path: str) -> Any:
        """GET."""
        return self._send("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """POST a JSON body under a fresh idempotency key; nothing is sent where it is `None`."""
        how = {} if body is None else {"json": body}
        return self._send("POST", path, headers={"Idempotency-Key": str(uuid.uuid4())}, **how)

    def _send(self, method: str, path: str, **how: Any) -> Any:
        try:
            answer = self._http.request(method, path, **how)
        except httpx.HTTPError as error:
            raise unreached(self.origin, error) from None
        if not answer.is_success:
            raise_problem(answer)
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            raise Unavailable(
                f"{self.origin} answers, but not as Locum does.", "Is it Locum's own address?"
            ) from None
