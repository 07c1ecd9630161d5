"""Open a store by its URL: `sqlite:///FILE` or `postgresql://…`; its schema is brought up first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

from locum.model.refusal import MalformedInput, StorageError
from locum.store.port import Store
from locum.store.postgres import PostgresStore
from locum.store.sqlite import SqliteStore

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def open_store(url: str, seal_key: bytes, now: Callable[[], datetime]) -> Store:
    """Open the store that a URL names, migrated to this version's schema.

    Raises:
        MalformedInput: no such kind of store.
        StorageError: it cannot be opened or migrated.
    """
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE))
        _private(path)
        migrate(f"sqlite+pysqlite:///{path}")
        return SqliteStore(path, seal_key, now)
    if url.startswith(_POSTGRES):
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


def migrate(url: str) -> None:
    """Bring a database's schema up to this version.

    Raises:
        StorageError: it cannot be reached or changed.
    """
    config = Config()
    config.set_main_option("script_location", str(files("locum.store") / "migrations"))
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(7201403)"))
                connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise StorageError(
            f"The store's schema cannot be brought up ({type(error).__name__}).",
            "Check that the database can be reached and that its owner is used.",
        ) from None
    finally:
        engine.dispose()
