"""A replay of the ledger finds every way in which it and the state can part."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.model.names import RequestId
from locum.model.request import ask_of
from locum.service.agreement import compare
from locum.store.opening import open_store
from tests.faults.house import SEAL_KEY, House, estate_at, house_of
from tests.servers.clock import SteppedClock


@pytest.fixture
def house(tmp_path: Path, clock: SteppedClock) -> Iterator[House]:
    store = open_store(f"sqlite:///{tmp_path}/locum.db", SEAL_KEY, clock)
    key = Ed25519PrivateKey.generate()
    house = house_of(store, estate_at(tmp_path, clock()), clock, tmp_path / "anchor", key)
    house.people()
    yield house
    store.close()


def altered(tmp_path: Path, statement: str) -> None:
    """What somebody could do who can write the database's file."""
    with sqlite3.connect(tmp_path / "locum.db") as connection:
        connection.execute(statement)
    connection.close()


def facts(house: House) -> list[tuple[RequestId, str]]:
    agreement = house.store.look(compare)
    return [(one.request, one.fact) for one in agreement.disagreements]


def test_integrated_and_pending_entries_agree_with_every_request(house: House) -> None:
    house.opened()
    house.sequencer.integrate()
    house.opened()
    agreement = house.store.look(compare)
    assert (agreement.requests, agreement.entries, agreement.disagreements) == (2, 8, ())


@pytest.mark.parametrize(
    ("statement", "fact"),
    [
        (
            "UPDATE requests SET body = CAST(replace(body, 'INC-1', 'INC-2') AS BLOB)",
            "is not, in version 4, what the ledger says.",
        ),
        ("UPDATE requests SET version = 3", "has version 3; the ledger ends at 4."),
        ("DELETE FROM requests", "is in the ledger and not in the state."),
        (
            "DELETE FROM ledger_pending WHERE id = (SELECT max(id) FROM ledger_pending)",
            "has version 4; the ledger ends at 3.",
        ),
        (
            "DELETE FROM ledger_pending WHERE id = 2 + (SELECT min(id) FROM ledger_pending)",
            "goes from version 2 to 4 in the ledger.",
        ),
    ],
)
def test_what_was_altered_is_named(house: House, tmp_path: Path, statement: str, fact: str) -> None:
    request = ask_of(house.opened().row.state).id
    altered(tmp_path, statement)
    assert facts(house) == [(request, fact)]


def test_a_request_that_no_entry_tells_of_is_named(house: House, tmp_path: Path) -> None:
    request = ask_of(house.opened().row.state).id
    altered(tmp_path, "DELETE FROM ledger_pending")
    assert facts(house) == [(request, "has version 4; the ledger ends at 0.")]
