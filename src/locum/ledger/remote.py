"""A ledger read over HTTP from a server that publishes tiles."""

from __future__ import annotations

import httpx

from locum.ledger.errors import LedgerError
from locum.ledger.tiles import TileName

LARGEST = 20 * 1024 * 1024


class RemoteSource:
    """Read a ledger from `BASE/ledger/…`; redirects are not followed."""

    def __init__(self, base: str, client: httpx.Client | None = None) -> None:
        self._base = base.rstrip("/") + "/ledger/"
        self._client = client or httpx.Client(timeout=10)

    def checkpoint(self) -> bytes:
        """The signed checkpoint."""
        found = self._get("checkpoint")
        if found is None:
            raise LedgerError(f"{self._base} has no checkpoint.", "Check the address.")
        return found

    def tile(self, name: TileName) -> bytes | None:
        """A tile's or a bundle's bytes."""
        return self._get(str(name))

    def _get(self, name: str) -> bytes | None:
        # Unpacked by nobody: a small answer must not become a large one.
        plain = {"Accept-Encoding": "identity"}
        try:
            with self._client.stream(
                "GET", self._base + name, headers=plain, follow_redirects=False
            ) as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise LedgerError(
                        f"{self._base}{name} answered {answer.status_code}.", "Try again."
                    )
                if answer.headers.get("Content-Encoding", "identity") != "identity":
                    raise LedgerError(
                        f"{name} came compressed.", "Ask past the proxy that does it."
                    )
                data = bytearray()
                for chunk in answer.iter_raw():
                    data += chunk
                    if len(data) > LARGEST:
                        raise LedgerError(f"{name} is too large.", "This is no ledger.")
                return bytes(data)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LedgerError(
                f"{self._base} cannot be reached ({type(error).__name__}).",
                "Check the address and the network, and try again.",
            ) from None
