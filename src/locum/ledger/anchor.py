"""The place apart from the database that keeps the last signed checkpoint.

A compare-and-set: whoever signs must replace exactly what was signed last, so that a restored
backup, an altered database or two signers cannot fork the log.
"""

from __future__ import annotations

import base64
import fcntl
import os
from pathlib import Path
from typing import Any, Protocol

import hvac
import requests

from locum.ledger.errors import Fork, LedgerError


class Anchor(Protocol):
    """Load, and replace exactly what was loaded. Durable once `swap` returns."""

    def load(self) -> bytes | None:
        """The checkpoint note signed last, `None` before the first."""
        ...

    def swap(self, old: bytes | None, new: bytes) -> None:
        """Replace `old` by `new`. Raises `Fork` where something else than `old` is kept."""
        ...


def _other_signer() -> Fork:
    return Fork(
        "Another checkpoint was signed in the meantime.", "Only one integrator signs; it goes on."
    )


class FileAnchor:
    """A file beside the data folder, or better on another disk; 0600, replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes | None:
        """The checkpoint note signed last."""
        return self._path.read_bytes() if self._path.exists() else None

    def swap(self, old: bytes | None, new: bytes) -> None:
        """Replace `old` by `new` under a file lock."""
        lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.load() != old:
                raise _other_signer()
            part = self._path.with_suffix(".part")
            handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(new)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise LedgerError(
                f"The anchor {self._path.name} cannot be written ({error.strerror}).",
                "Free its disk; no checkpoint is signed until then.",
            ) from None
        finally:
            os.close(lock)


class OpenBaoAnchor:
    """A KV v2 secret of OpenBao, replaced with its check-and-set version."""

    def __init__(self, client: hvac.Client, mount: str, path: str) -> None:
        self._client, self._mount, self._place = client, mount, path

    def load(self) -> bytes | None:
        """The checkpoint note signed last."""
        return self._versioned()[1]

    def swap(self, old: bytes | None, new: bytes) -> None:
        """Replace `old` by `new` with `cas`."""
        version, kept = self._versioned()
        if kept != old:
            raise _other_signer()
        secret = {"checkpoint": base64.b64encode(new).decode()}
        try:
            self._client.secrets.kv.v2.create_or_update_secret(
                self._place, secret=secret, cas=version, mount_point=self._mount
            )
        except hvac.exceptions.InvalidRequest:
            raise _other_signer() from None
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise _unreachable(error) from None

    def _versioned(self) -> tuple[int, bytes | None]:
        try:
            answer: Any = self._client.secrets.kv.v2.read_secret_version(
                self._place, mount_point=self._mount, raise_on_deleted_version=True
            )
        except hvac.exceptions.InvalidPath:
            return 0, None
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise _unreachable(error) from None
        data = answer["data"]
        return data["metadata"]["version"], base64.b64decode(data["data"]["checkpoint"])


def _unreachable(error: Exception) -> LedgerError:
    return LedgerError(
        f"The anchor in OpenBao cannot be reached ({type(error).__name__}).",
        "Unseal or start OpenBao; no checkpoint is signed until then.",
    )
