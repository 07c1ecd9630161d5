"""A changed estate: in force whole, or refused whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from locum.estate.loading import load_lawful
from locum.model.names import GrantId
from locum.model.refusal import StorageError
from locum.model.request import name_of
from locum.service.rounds import EstateWatch, Rounds
from tests.http.world import World, ask, opened
from tests.servers.clock import SteppedClock


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world of each test's own, as each leaves another estate behind."""
    made = World(tmp_path, SteppedClock(), people=("alice",))
    yield made
    made.close()


def test_a_broken_estate_is_refused_whole_and_the_old_one_stays(world: World) -> None:
    file = world.data / "estate.yaml"
    good, before = file.read_text(), world.started.locum.estate.now
    watch = EstateWatch(world.started)
    for bad in ("version: 1\nidentities: [", good.replace("need: 2", "need: 9"), ""):
        file.write_text(bad)
        watch.look()
        assert world.started.locum.estate.now is before
    file.write_text(good.replace("reason: tests", "reason: better tests"))
    watch.look()
    assert world.started.locum.estate.now is not before
    assert ask(world.people["alice"]).status_code == 201
    waiting = world.started.locum.store.look(lambda transaction: transaction.pending(10_000))
    entries = b"".join(entry for _, entry, _ in waiting)
    assert entries.count(b'"act":"estate.refused"') == 3
    assert b'"act":"estate.in-force"' in entries


def test_what_could_not_be_recorded_is_tried_at_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, watch = world.data / "estate.yaml", EstateWatch(world.started)
    before = world.started.locum.estate.now
    file.write_text(file.read_text().replace("reason: tests", "reason: better tests"))
    with monkeypatch.context() as broken:
        broken.setattr("locum.service.rounds.record", _refuse)
        with pytest.raises(StorageError):
            watch.look()
    assert world.started.locum.estate.now is before
    watch.look()
    assert world.started.locum.estate.now is not before


def test_a_grant_that_could_not_be_closed_at_the_change_is_closed_at_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, watch = world.data / "estate.yaml", EstateWatch(world.started)
    grant, _ = opened(world.people["alice"])
    file.write_text(without_the_lease(file.read_text()))
    with monkeypatch.context() as broken:
        broken.setattr("locum.service.elapse.close_grant", _refuse)
        with pytest.raises(StorageError):
            watch.look()
    assert state_of(world, grant) == "open"
    watch.look()
    assert state_of(world, grant) == "closed"


def test_a_path_that_was_removed_while_locum_was_stopped_is_closed_at_the_start(
    world: World,
) -> None:
    grant, _ = opened(world.people["alice"])
    file = world.data / "estate.yaml"
    file.write_text(without_the_lease(file.read_text()))
    world.started.locum.estate.replace(load_lawful(file, world.clock.now()))
    rounds = Rounds(world.started)
    rounds.start()
    rounds.stop()
    assert state_of(world, grant) == "closed"


def without_the_lease(estate: str) -> str:
    """The same estate with the path under another name."""
    return estate.replace("      lease:", "      another:")


def state_of(world: World, grant: str) -> str:
    row = world.started.locum.store.look(lambda transaction: transaction.request_of(GrantId(grant)))
    assert row is not None
    return name_of(row.state)


def _refuse(*_: object) -> None:
    raise StorageError("The disk is full.", "Free space.")
