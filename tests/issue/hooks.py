"""Write an operator's hook."""

from __future__ import annotations

from pathlib import Path


def write_hook(folder: Path, name: str, script: str) -> Path:
    """Make a shell script with mode 0755."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file
