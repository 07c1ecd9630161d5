"""Acts that wait too long are given up, and a writer that gets on is not called stuck."""

from __future__ import annotations

import pytest

from locum.model.refusal import StorageError, Unconfirmed
from locum.store import acts
from locum.store.acts import Waiting


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    """A queue that gives acts up at once."""
    monkeypatch.setattr(acts, "LIMIT", 0.0)
    return Waiting()


def ended(waiting: Waiting) -> None:
    """Let the watch finish what it is at."""
    waiting.close()
    waiting._watch.join()


def test_while_no_writer_gets_on_acts_are_unconfirmed_and_then_refused(waiting: Waiting) -> None:
    assert isinstance(waiting.add(lambda _: None).exception(), Unconfirmed)
    while not waiting.stuck:
        continue
    error = waiting.add(lambda _: None).exception()
    assert isinstance(error, StorageError)
    assert not isinstance(error, Unconfirmed)
    waiting.moved()
    assert not waiting.stuck
    ended(waiting)


def test_a_writer_that_gets_on_while_an_act_is_given_up_is_not_stuck(waiting: Waiting) -> None:
    act = waiting.add(lambda _: None)
    # Called by the watch itself, in the midst of giving this act up.
    act.add_done_callback(lambda _: waiting.moved())
    assert isinstance(act.exception(), Unconfirmed)
    ended(waiting)
    assert not waiting.stuck
