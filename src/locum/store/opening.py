"""Open a store by its URL: `sqlite:///FILE` or `postgresql://…`; its schema is brought up first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from locum.model.refusal import MalformedInput, StorageError
from locum.store.port import Store
from locum.store.sqlite import SqliteStore

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str, seal_key: bytes, now: Callable[[], datetime]) -> Store:
    """Open the store that a URL names, migrated to this version's schema.

    Raises:
        MalformedInput: no such kind of store.
        StorageError: it cannot be opened or migrated.
    """
    # Here, as a command that needs no store would wait for the database libraries all the same.
    from locum.store.migrating import migrate

    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        _private(path)
        migrate(f"sqlite+pysqlite:///{path}")
        return SqliteStore(path, seal_key, now)
    if url.startswith(_POSTGRES):
        from locum.store.postgres import PostgresStore

        migrate("postgresql+psycopg://" + url.split("://", 1)[1])
        return PostgresStore(url, seal_key, now)
    raise MalformedInput(
        f"{url.split(':', 1)[0]!r} is no kind of store.",
        "Use sqlite:///FILE or postgresql://USER@HOST/DATABASE.",
    )


def _private(path: Path) -> None:
    """Make the file readable by its owner only before anything is in it."""
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path.name} cannot be opened ({error.strerror}).",
            "Look at the rights of the data folder.",
        ) from None
