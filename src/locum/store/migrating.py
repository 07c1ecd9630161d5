"""Bring a database's schema up to this version, with Alembic."""

from __future__ import annotations

from importlib.resources import files

import sqlalchemy
from alembic import command
from alembic.config import Config

from locum.model.refusal import StorageError


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
