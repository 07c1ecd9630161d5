"""The vault's interface: where secrets are sealed.

Contract for every implementation (one suite of tests runs on all of them):

- **Names.** One to three names of `model/names.py` joined by `/`; others are `MalformedInput`.
- **Atomic.** A write replaces the secret whole or not at all, as a new version. One that ends in
  `Unavailable` may or may not have been kept; read to know.
- **Races.** Of two writes that saw the same version one gets `Conflict`, and nothing is lost
  silently.
- **Errors.** `NotFound` (no such secret), `Unavailable` (the vault cannot be reached, refuses, or
  holds something that is not what was sealed), `Conflict`, `MalformedInput`, and for a vault in
  the store, `StorageError`. No other exception gets out, and none carries a secret.
- **Bounded.** Every call answers or fails within five seconds or so.
- **Concurrency.** Every verb may be called from any thread.
"""

from __future__ import annotations

from typing import Protocol

from locum.model.names import is_name
from locum.model.refusal import MalformedInput
from locum.model.secret import Secret

LONGEST_SECRET = 16_384
_MOST_PARTS = 3


class Vault(Protocol):
    """A place that gives sealed secrets back to the authority."""

    def read(self, name: str) -> Secret:
        """The newest version of a secret. Raises `NotFound`, `Unavailable`."""
        ...

    def write(self, name: str, secret: Secret) -> int:
        """Seal a secret as the next version and give that. Raises `Conflict`, `Unavailable`."""
        ...

    def forget(self, name: str) -> None:
        """Remove every version of a secret; forgetting what is not there is no error."""
        ...

    def ready(self) -> None:
        """Raise `Unavailable`, with what to do, where a secret could not be read or written."""
        ...


def checked_name(name: str) -> str:
    """Give back a vault's name for a secret.

    Raises:
        MalformedInput: it is not a name, so it could climb out of its folder.
    """
    parts = name.split("/")
    if len(parts) > _MOST_PARTS or not all(is_name(part) for part in parts):
        raise MalformedInput(
            "A sealed secret's name is one to three names in lower case joined by a slash.",
            "Name it like `orders-db-admin` or `databases/orders-admin`.",
        )
    return name


def checked_secret(secret: Secret) -> bytes:
    """Give the bytes to seal.

    Raises:
        MalformedInput: the secret is empty or longer than any password or key.
    """
    text = secret.reveal().encode()
    if not 0 < len(text) <= LONGEST_SECRET:
        raise MalformedInput(
            f"A secret has 1 to {LONGEST_SECRET} bytes; this one has {len(text)}.",
            "Seal the key itself, not a file around it.",
        )
    return text
