"""`make bench-ledger`: how fast entries become part of the signed tree, durably; proofs; replay.

Entries of an act's size are appended by acts that share commits, while the sequencer integrates
and signs beside them. "Sustained" counts until the last entry is under a signed checkpoint.
"""

from __future__ import annotations

import platform
import random
import resource
import sys
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.ledger.anchor import FileAnchor
from locum.ledger.entry import Entry, encode
from locum.ledger.note import Signer
from locum.ledger.receipt import make_receipt
from locum.ledger.tiles import hash_reader
from locum.ledger.verification import verify_log
from locum.service.published import StoreSource
from locum.service.sequencer import Sequencer
from locum.store.opening import open_store
from locum.store.port import Store, Transaction

COUNT = 200_000
IN_FLIGHT = 512
PER_ACT = 4
PROOFS = 2_000


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def main() -> None:
    """Measure, and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    print(f"{platform.machine()}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/ledger.db", bytes(32), now)
        signer = Signer("bench/ledger", Ed25519PrivateKey.generate())
        sequencer = Sequencer(
            store, signer, FileAnchor(Path(folder) / "anchor"), lambda *_: None, lambda _: None
        )
        try:
            _sustained(store, sequencer, count)
            _proofs(store, count)
            _replay(store, signer, count)
        finally:
            store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"peak memory {peak:.0f} MB")


def _sustained(store: Store, sequencer: Sequencer, count: int) -> None:
    stop = threading.Event()
    lags: list[float] = []

    def integrate() -> None:
        while not stop.is_set():
            _, oldest = store.look(lambda tx: tx.pending_count())
            if oldest is not None:
                lags.append((now() - oldest).total_seconds())
            if not sequencer.integrate():
                stop.wait(0.02)

    thread = threading.Thread(target=integrate)
    written = _written()
    began = time.monotonic()
    thread.start()
    waiting: deque[Future[None]] = deque()
    waits: list[float] = []
    for first in range(0, count, PER_ACT):
        waiting.append(store.act(_append(first, min(PER_ACT, count - first))))
        if len(waiting) >= IN_FLIGHT:
            at = time.monotonic()
            waiting.popleft().result()
            waits.append(time.monotonic() - at)
    while waiting:
        waiting.popleft().result()
    stop.set()
    thread.join()
    while sequencer.integrate():
        continue
    took = time.monotonic() - began
    print(f"sustained             {count / took:10.0f} entries/s, signed and durable ({count})")
    print(f"waits for a commit    {_share(waits, 99.9) * 1e3:10.1f} ms at p99.9")
    print(f"lag of integration    {max(lags, default=0.0):10.2f} s at most")
    print(f"written               {(_written() - written) / count:10.0f} bytes an entry")


def _append(first: int, many: int):  # type: ignore[no-untyped-def]
    entries = [
        encode(
            Entry(
                "grant.opened", now(), actor="alice", key="k" * 43, subject=f"rq_{first + n:032x}",
                path="orders-db-admin/break-glass", grant=f"gr_{first + n:032x}", state="open",
                version=4, facts={"cause": "outage", "proof": "incident INC-2041"},
            )
        )
        for n in range(many)
    ]  # fmt: skip

    def act(transaction: Transaction) -> None:
        for entry in entries:
            transaction.append(entry)

    return act


def _proofs(store: Store, count: int) -> None:
    chance, times = random.Random(1), []

    def prove(transaction: Transaction) -> None:
        note = transaction.checkpoint() or b""
        for _ in range(PROOFS):
            at = time.perf_counter()
            make_receipt(chance.randrange(count), count, hash_reader(transaction.tile), note)
            times.append(time.perf_counter() - at)

    store.look(prove)
    print(
        f"inclusion proof       {_share(times, 50) * 1e3:10.3f} ms p50, "
        f"{_share(times, 99) * 1e3:.3f} ms p99"
    )


def _replay(store: Store, signer: Signer, count: int) -> None:
    began = time.monotonic()
    verify_log(StoreSource(store), (signer.verifier,))
    took = time.monotonic() - began
    print(f"full verification     {count / took:10.0f} entries/s ({took:.1f} s for {count})")


def _share(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


def _written() -> int:
    with open("/proc/self/io") as counters:
        return next(int(line.split()[1]) for line in counters if line.startswith("write_bytes"))


if __name__ == "__main__":
    main()
