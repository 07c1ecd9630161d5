"""A Locum with TLS whose clock is the machine's, as programs go by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pki.rotating import RotatingWorld, RunningClock


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path / "world", clock=RunningClock(), plain=True)
    yield made
    made.close()
