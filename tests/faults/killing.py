"""One process after another works on the same store and is killed; each first checks what it finds.

Run as a program: it reads a JSON order from its standard input and answers with a JSON report. It
stays single-threaded, so that each process that is killed is one `fork` away, with everything
imported. What a killed process acknowledged has reached the other end of a pipe, which is all
that a client could have.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import select
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.issue.generate import token_hash
from locum.laws.permits import Refusal
from locum.ledger.verification import verify_log
from locum.model.estate import Estate
from locum.model.refusal import Conflict, LocumError
from locum.model.request import ask_of
from locum.service.activate import Opened
from locum.service.agreement import compare
from locum.service.caller import Proven
from locum.service.published import StoreSource
from locum.store.migrating import migrate
from locum.store.port import Store
from locum.store.postgres import PostgresStore
from locum.store.records import Row
from locum.store.sqlite import SqliteStore
from tests.faults.acknowledged import Known, Tell, check, clock, integrate, key_of
from tests.faults.house import (
    SEAL_KEY,
    House,
    Verb,
    estate_at,
    grant_id,
    house_of,
    proof,
)

T = TypeVar("T")
WORKERS = 3
MOST_ACKNOWLEDGED = 60
LONGEST_DELAY_US = 4_000


@dataclass(frozen=True)
class Place:
    """Where the store is, and what is the same for all who open it."""

    url: str
    folder: Path
    estate: Estate
    private: Ed25519PrivateKey

    def open(self) -> House:
        """Open the store as a new process would."""
        if self.url.startswith("sqlite:///"):
            file = Path(self.url.removeprefix("sqlite:///"))
            store: Store = SqliteStore(file, SEAL_KEY, clock)
        else:
            store = PostgresStore(self.url, SEAL_KEY, clock)
        return house_of(store, self.estate, clock, self.folder / "anchor", self.private)


# What a process does until it is killed


def work(house: House, tell: Tell) -> None:
    """Live stories on several threads, for ever."""
    threads = [threading.Thread(target=stories, args=(house, tell, at)) for at in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def stories(house: House, tell: Tell, at: int) -> None:
    """Do one thing after another, each thread in the same order from its own place."""
    for turn in itertools.count(at):
        try:
            (story, invitation, integrate)[turn % 3](house, tell)
        except LocumError:
            continue  # nothing was acknowledged; begin another
        except BaseException:
            tell("broke", traceback.format_exc()[-1500:])
            raise


def story(house: House, tell: Tell) -> None:
    """From asking to review; whatever must happen once is tried twice at the same time."""
    once = proof("alice")
    row: Row = one_of(house, tell, "ask", house.ask(once, once.jti), house.ask(once, once.jti))
    told(tell, once, row)
    row = one_of(house, tell, "approve", *(house.approve(proof("bob"), row) for _ in range(2)))
    tell("row", ask_of(row.state).id, row.version)
    approving = proof("carol")
    told(tell, approving, house.do(house.approve(approving, row)))
    request = ask_of(row.state).id
    opened: Opened = one_of(
        house, tell, "activate", *(house.activate(proof("alice"), request) for _ in range(2))
    )
    took(tell, opened)
    grant = grant_id(request)
    took(tell, one_of(house, tell, "take", *(house.take(proof("alice"), grant) for _ in range(2))))
    integrate(house, tell)
    closing = proof("alice")
    told(tell, closing, house.do(house.close(closing, grant)))
    reviewing = proof("dana")
    told(tell, reviewing, house.do(house.review(reviewing, grant)))


def invitation(house: House, tell: Tell) -> None:
    """One invitation, redeemed by two keys at the same time."""
    inviting = proof("alice")
    code, _ = house.do(house.invite(inviting, "erin"))
    tell("invited", code.reveal())
    keys = [key_of(code.reveal(), which) for which in "ab"]
    key = one_of(house, tell, "redeem", *(house.redeem(code, one) for one in keys))
    tell("redeemed", code.reveal(), key.jkt)


def one_of(house: House, tell: Tell, what: str, *verbs: Verb[T]) -> T:
    """Try several at once; at most one may win."""
    won: list[T] = []
    for waiting in [house.store.act(verb) for verb in verbs]:
        with contextlib.suppress(LocumError):
            result = waiting.result()
            if not isinstance(result, Refusal):
                won.append(result)
    if len(won) > 1:
        tell("twice", what)
    if not won:
        raise Conflict(f"Nobody won {what}.", "Begin anew.")
    return won[0]


def told(tell: Tell, proven: Proven, row: Row | Refusal) -> None:
    if isinstance(row, Refusal):
        tell("refused", *(one.fact for one in row.breaches))
        return
    tell("row", ask_of(row.state).id, row.version)
    tell("spent", proven.jkt, proven.jti)


def took(tell: Tell, opened: Opened) -> None:
    request = ask_of(opened.row.state).id
    tell("row", request, opened.row.version)
    if opened.secret is not None:
        tell("taken", request, token_hash(opened.secret).hex())


# The one who kills


def live(place: Place, known: Known, pipe: int) -> None:
    """One process: open, check what is found, work."""

    def tell(*words: Any) -> None:
        os.write(pipe, json.dumps(words).encode() + b"\n")

    try:
        house = place.open()
        check(house, known, tell)
        work(house, tell)
    except BaseException:
        tell("broke", traceback.format_exc()[-1500:])
    os._exit(3)


def one_kill(place: Place, known: Known, chance: random.Random) -> None:
    """Fork a process, and kill it after a number of acknowledgements and some microseconds."""
    after, delay = chance.randrange(MOST_ACKNOWLEDGED), chance.randrange(LONGEST_DELAY_US)
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        live(place, known, writing)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        lines = wait_for(pipe.fileno(), after)
        until = time.perf_counter_ns() + delay * 1_000
        while time.perf_counter_ns() < until:
            continue
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        lines += pipe.read()
    if os.WTERMSIG(status) != signal.SIGKILL:
        known.faults.append(f"a process ended by itself with {status}")
    # A line that was cut off by the kill was not acknowledged: its reader never had it whole.
    for line in lines.split(b"\n")[:-1]:
        known.learn(line.decode())


def wait_for(pipe: int, lines: int) -> bytes:
    """Read until so many lines have come."""
    data = b""
    while data.count(b"\n") < lines:
        select.select([pipe], [], [])
        more = os.read(pipe, 65_536)
        if not more:
            break
        data += more
    return data


def last_look(place: Place, known: Known) -> dict[str, Any]:
    """After the last kill: everything once more, and the whole ledger as a stranger verifies it."""
    house = place.open()

    def tell(*words: Any) -> None:
        known.learn(json.dumps(words))

    try:
        check(house, known, tell)
        while house.sequencer.integrate():
            continue
        report = verify_log(StoreSource(house.store), (house.sequencer.signer.verifier,))
        agreed = house.store.look(compare)
    finally:
        house.store.close()
    return {
        "acknowledged": known.acknowledged,
        "checks": known.checks,
        "takes": sum(known.takes.values()),
        "redeemed": len(known.redeemed),
        "notes": len(known.notes),
        "entries": report.entries,
        "requests": agreed.requests,
        "faults": known.faults,
    }


def main() -> None:
    """Do what is ordered."""
    order = json.loads(sys.stdin.readline())
    folder = Path(order["folder"])
    migrate(order["url"].replace("sqlite:", "sqlite+pysqlite:").replace("ql:", "ql+psycopg:"))
    place = Place(order["url"], folder, estate_at(folder, clock()), Ed25519PrivateKey.generate())
    house = place.open()
    house.people()
    house.store.close()
    known, chance = Known(), random.Random(order["seed"])
    for _ in range(order["kills"]):
        one_kill(place, known, chance)
        if known.faults:
            break
    print(json.dumps(last_look(place, known)))


if __name__ == "__main__":
    main()
