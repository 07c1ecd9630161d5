"""A store of an earlier version is brought up with what it holds."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import sqlalchemy
from alembic import command
from alembic.config import Config

from locum.store.port import Store

INVITED = (
    "INSERT INTO invitations (code_hash, identity, invited_by, created_at, expires_at, conditions,"
    " redeemed_at) VALUES (:some, 'bob', 'alice', 1, 9, '', 5)"
)
REGISTERED = (
    "INSERT INTO callers (jkt, identity, jwk, registered_at, expires_at, conditions)"
    " VALUES ('{jkt}', '{identity}', :some, 5, 9, '')"
)


def at_first(url: str) -> None:
    """A store as version 0001 left it, with an invitation and two keys."""
    config = Config()
    config.set_main_option("script_location", str(files("locum.store") / "migrations"))
    url = url.replace("sqlite://", "sqlite+pysqlite://").replace("sql://", "sql+psycopg://")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sqlalchemy.text(INVITED), {"some": b"1"})
        for jkt, identity in (("b", "bob"), ("c", "carol")):
            registered = REGISTERED.format(jkt=jkt, identity=identity)
            connection.execute(sqlalchemy.text(registered), {"some": b"1"})
        connection.commit()


def test_a_key_of_before_gets_the_inviter_whose_invitation_is_still_kept(
    url: str, opened: Callable[[], Store]
) -> None:
    at_first(url)
    store = opened()
    bobs, carols = store.look(lambda one: one.caller("b")), store.look(lambda one: one.caller("c"))
    assert bobs is not None
    assert bobs.invited_by == {"alice"}
    assert carols is not None
    assert carols.invited_by == frozenset(), "its invitation is gone"
