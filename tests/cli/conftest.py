"""One served Locum for each process of the test run, with everybody signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.served import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served"), people=("alice", "bob", "carol"))
    yield made
    made.stop()
