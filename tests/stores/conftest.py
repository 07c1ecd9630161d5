"""Both stores, made fresh for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from locum.store.opening import open_store
from locum.store.port import Store
from tests.servers.postgres import PostgresProcess

SEAL_KEY = b"s" * 32


def system_clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/locum.db"
    server: PostgresProcess = request.getfixturevalue("postgres_server")
    return server.create_database(f"store_{secrets.token_hex(6)}")


@pytest.fixture
def opened(url: str) -> Iterator[Callable[[], Store]]:
    """A function that opens the store, again too; all are closed at the end."""
    stores: list[Store] = []

    def open_it() -> Store:
        stores.append(open_store(url, SEAL_KEY, system_clock))
        return stores[-1]

    yield open_it
    for one in stores:
        one.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """An empty store."""
    return opened()
