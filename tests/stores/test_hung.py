"""A PostgreSQL that takes what is said and never answers holds up nobody for ever."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

from locum.model.refusal import StorageError, Unconfirmed
from locum.store.opening import open_store
from locum.store.port import Transaction
from locum.store.postgres import PostgresStore
from tests.servers.postgres import PostgresProcess
from tests.stores.conftest import SEAL_KEY, system_clock

T = TypeVar("T")
SHORT = 0.3


class Relay:
    """Passes bytes on to a server; told to, it holds its tongue on the lines that it has."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines: list[tuple[socket.socket, threading.Event]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def hush(self) -> None:
        for _, hushed in self._lines:
            hushed.set()

    def close(self) -> None:
        self._listener.close()
        for one, _ in self._lines:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far, hushed = socket.create_connection(self._to), threading.Event()
            self._lines += [(near, hushed), (far, hushed)]
            for source, to in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, to, hushed), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, to: socket.socket, hushed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if not hushed.is_set():
                    to.sendall(data)
            to.shutdown(socket.SHUT_WR)


@pytest.fixture
def relay(postgres_server: PostgresProcess) -> Iterator[Relay]:
    made = Relay(postgres_server.host, postgres_server.port)
    yield made
    made.close()


@pytest.fixture
def store(postgres_server: PostgresProcess, relay: Relay) -> Iterator[PostgresStore]:
    url = postgres_server.create_database(f"hung_{secrets.token_hex(6)}")
    open_store(url, SEAL_KEY, system_clock).close()
    place = urlsplit(url)
    through = url.replace(f":{place.port}/", f":{relay.port}/")
    assert through != url
    made = PostgresStore(through, SEAL_KEY, system_clock, writers=1, answers_within=SHORT)
    yield made
    made.close()


def bounded(function: Callable[[], T]) -> T:
    """What it gives; a test that waits for ever fails."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(timeout=30)


def size(transaction: Transaction) -> int:
    return transaction.ledger_size()


def test_a_look_at_a_hung_connection_is_refused_and_the_next_one_opens_another(
    store: PostgresStore, relay: Relay
) -> None:
    assert store.look(size) == 0
    relay.hush()
    with pytest.raises(StorageError, match="PostgreSQL answers"):
        bounded(lambda: store.look(size))
    assert bounded(lambda: store.look(size)) == 0


def test_a_writer_whose_connection_hangs_writes_again_on_another(
    store: PostgresStore, relay: Relay
) -> None:
    store.act(lambda one: one.append(b"before")).result()
    relay.hush()
    with pytest.raises((StorageError, Unconfirmed)):
        store.act(lambda one: one.append(b"lost")).result()
    store.act(lambda one: one.append(b"after")).result()
    assert [entry for _, entry, _ in store.look(lambda one: one.pending(9))] == [
        b"before",
        b"after",
    ]


def test_a_look_that_asks_much_is_bounded_by_each_question_and_not_as_a_whole(
    store: PostgresStore,
) -> None:
    asked = threading.Event()

    def look(transaction: Transaction) -> int:
        for _ in range(3):
            asked.wait(SHORT)  # what is done between two questions is nobody's wait
            found = transaction.ledger_size()
        return found

    assert store.look(look) == 0


def test_a_server_that_accepts_and_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://locum@127.0.0.1:{silent.getsockname()[1]}/locum"
        store = PostgresStore(url, SEAL_KEY, system_clock, writers=1, answers_within=SHORT)
        try:
            with pytest.raises(StorageError, match="PostgreSQL answers"):
                bounded(lambda: store.look(size))
        finally:
            store.close()


def test_a_look_that_fails_leaves_the_connection_fit_for_the_next(store: PostgresStore) -> None:
    def fail(_: Transaction) -> None:
        raise LookupError("the caller's own")

    for _ in range(2):
        with pytest.raises(LookupError):
            store.look(fail)
    assert store.look(size) == 0
    with pytest.raises(StorageError):
        store.look(lambda one: one.append(b"written while reading"))
    assert store.look(size) == 0
