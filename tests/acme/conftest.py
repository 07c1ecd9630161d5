"""One rotating world for each test: its clock moves, and its paths get a past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pki.rotating import RotatingWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RotatingWorld]:
    made = RotatingWorld(tmp_path)
    yield made
    made.close()
