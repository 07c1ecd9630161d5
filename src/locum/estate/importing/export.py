"""One file of an export: it can be read more than once, and from its beginning each time."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from locum.estate.importing.refusing import LARGEST, refuse


class Export(msgspec.Struct, frozen=True):
    """What another system exported.

    Args:
        file: how errors and findings name it.
        size: in bytes.
        opened: opens it for reading.
    """

    file: str
    size: int
    opened: Callable[[], BinaryIO]

    def whole(self) -> bytes:
        """All of it.

        Raises:
            EstateError: it is too large for that.
            OSError: it cannot be read.
        """
        if self.size > LARGEST:
            refuse(
                self.file, "file-size", "The export is larger than 256 MiB.",
                "Split it, or bring it as CSV, which is read row by row.",
            )  # fmt: skip
        with self.opened() as stream:
            return stream.read()


def in_file(path: Path) -> Export:
    """An export that lies in a file.

    Raises:
        OSError: there is none.
    """
    return Export(str(path), path.stat().st_size, lambda: path.open("rb"))


def in_memory(data: bytes, name: str) -> Export:
    """An export that a system just gave."""
    return Export(name, len(data), lambda: io.BytesIO(data))
