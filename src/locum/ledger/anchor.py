"""The place apart from the database that keeps the last signed checkpoint.

A compare-and-set: whoever signs must replace exactly what was signed last, so that a restored
backup, an altered database or two signers cannot fork the log.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import hvac
import requests

from locum.ledger.errors import AnchorConflict, LedgerError
from locum.ledger.note import LONGEST_NOTE
from locum.model.refusal import LocumError

_TROUBLE = (hvac.exceptions.VaultError, requests.RequestException, LocumError, KeyError)


class Anchor(Protocol):
    """Load, and replace exactly what was loaded. Durable once `swap` returns."""

    def load(self) -> bytes | None:
        """The checkpoint note signed last, `None` before the first.

        Raises `LedgerError` where that cannot be told: nothing may be signed then.
        """
        ...

    def swap(self, old: bytes | None, new: bytes) -> None:
        """Replace `old` by `new`. Raises `AnchorConflict` where another is kept.

        Never waits for another signer; raises `LedgerError` where nothing could be written.
        """
        ...


def _other_signer() -> AnchorConflict:
    return AnchorConflict(
        "Another checkpoint was signed in the meantime.", "Only one integrator signs; it goes on."
    )


class FileAnchor:
    """A file beside the data folder, or better on another disk; 0600, replaced atomically."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> bytes | None:
        """The checkpoint note signed last."""
        try:
            with self._path.open("rb") as file:
                note = file.read(LONGEST_NOTE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable("read", error) from None
        if len(note) > LONGEST_NOTE or not note:
            raise LedgerError(
                f"The anchor {self._path.name} holds no checkpoint.",
                "Put back the last checkpoint that was signed, from a witness or an export.",
            )
        return note

    def swap(self, old: bytes | None, new: bytes) -> None:
        """Replace `old` by `new` under a file lock."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._beside(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self.load() != old:
                    raise _other_signer()
                self._replace(new)
            finally:
                os.close(lock)
        except BlockingIOError:
            raise _other_signer() from None
        except OSError as error:
            raise self._unusable("written", error) from None

    def _replace(self, new: bytes) -> None:
        part = self._beside(".part")
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _unusable(self, act: str, error: OSError) -> LedgerError:
        return LedgerError(
            f"The anchor {self._path.name} cannot be {act} ({error.strerror}).",
            "Mend its disk or its permissions; no checkpoint is signed until then.",
        )


Ask = Callable[[Callable[[hvac.Client], Any]], Any]
"""Asks OpenBao through a client that is signed in, and signs in anew where that is needed."""


class OpenBaoAnchor:
    """A KV v2 secret of OpenBao, replaced with its check-and-set version."""

    def __init__(self, ask: Ask, mount: str, path: str) -> None:
        self._ask, self._mount, self._place = ask, mount, path

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
            self._ask(
                lambda client: client.secrets.kv.v2.create_or_update_secret(
                    self._place, secret=secret, cas=version, mount_point=self._mount
                )
            )
        except hvac.exceptions.InvalidRequest as error:
            raise (
                _other_signer() if "check-and-set" in str(error) else _unreachable(error)
            ) from None
        except _TROUBLE as error:
            raise _unreachable(error) from None

    def _versioned(self) -> tuple[int, bytes | None]:
        try:
            answer = self._ask(
                lambda client: client.secrets.kv.v2.read_secret_version(
                    self._place, mount_point=self._mount, raise_on_deleted_version=False
                )
            )
        except hvac.exceptions.InvalidPath:
            return 0, None
        except _TROUBLE as error:
            raise _unreachable(error) from None
        try:
            kept, version = answer["data"]["data"], answer["data"]["metadata"]["version"]
            return int(version), base64.b64decode(kept["checkpoint"], validate=True)
        except (KeyError, TypeError, ValueError):
            # A deleted version is not "never signed": taking it for that would allow a fork.
            raise LedgerError(
                "The anchor in OpenBao was deleted or overwritten by somebody else.",
                f"Undelete {self._place}; no checkpoint is signed until then.",
            ) from None


def _unreachable(error: Exception) -> LedgerError:
    if isinstance(error, LocumError):  # nothing to sign in with
        return LedgerError(error.fact, f"{error.remedy} No checkpoint is signed until then.")
    return LedgerError(
        f"The anchor in OpenBao cannot be reached ({type(error).__name__}).",
        "Unseal or start OpenBao; no checkpoint is signed until then.",
    )
