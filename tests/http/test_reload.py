"""A changed estate: in force whole, or refused whole."""

from __future__ import annotations

from locum.service.rounds import EstateWatch
from tests.http.world import World, ask


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
