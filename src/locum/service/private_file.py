"""Files that only their owner reads, whole or not there at all, also after a power cut."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(file: Path, data: bytes) -> None:
    """Write a file of mode 0600; who reads it meanwhile sees the old one, or the new one whole.

    Raises:
        OSError: it cannot be written, or not made durable.
    """
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    Path(part).replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
