"""An exported ledger: a folder with `vkey`, `checkpoint` and `tile/…`, readable by any verifier."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from locum.ledger.checkpoint import open_checkpoint
from locum.ledger.errors import LedgerError, MalformedArtefact
from locum.ledger.note import VerifierKey
from locum.ledger.tiles import LARGEST_BUNDLE, TileName, bundles_of, tiles_of
from locum.ledger.verification import LogSource


class FolderSource:
    """Read a ledger from an exported folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def verifier_key(self) -> VerifierKey:
        """The key that the export was written with; trust it only if you know it otherwise."""
        return VerifierKey.parse(self._read("vkey").decode("utf-8", "replace"))

    def checkpoint(self) -> bytes:
        """The signed checkpoint."""
        return self._read("checkpoint")

    def tile(self, name: TileName) -> bytes | None:
        """A tile's or a bundle's bytes."""
        return self._content(str(name))

    def _read(self, name: str) -> bytes:
        data = self._content(name)
        if data is None:
            raise MalformedArtefact(
                f"{self._folder} has no file {name!r}.",
                "Name a folder that `locum ledger export` wrote.",
            )
        return data

    def _content(self, name: str) -> bytes | None:
        try:
            with (self._folder / name).open("rb") as file:
                data = file.read(LARGEST_BUNDLE + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise LedgerError(
                f"{name} cannot be read ({error.strerror}).", "Mend the disk or the permissions."
            ) from None
        if len(data) > LARGEST_BUNDLE:
            raise MalformedArtefact(f"{name} is too large.", "Restore it from another export.")
        return data


def export(
    source: LogSource,
    folder: Path,
    key: VerifierKey,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write a ledger into a folder; the checkpoint last, so that a cut-off export is seen.

    Returns:
        How many entries it holds, all of them durably.
    """
    note = source.checkpoint()
    size = open_checkpoint(note, (key,)).size
    names = (*tiles_of(size), *bundles_of(size))
    for done, name in enumerate(names, 1):
        data = source.tile(name)
        if data is None:
            raise MalformedArtefact(f"{name} is missing.", "Run `locum ledger verify`.")
        _write(folder / str(name), data)
        if progress is not None:
            progress(done, len(names))
    _write(folder / "vkey", f"{key}\n".encode())
    # A name is durable once its folder is: those that the checkpoint speaks of come before it.
    for written in sorted({(folder / str(name)).parent for name in names} | {folder}):
        _sync(written)
    _write(folder / "checkpoint", note)
    _sync(folder)
    return size


def _write(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(place.name + ".part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
