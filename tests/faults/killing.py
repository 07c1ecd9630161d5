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
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.issue.generate import token_hash
from locum.laws.permits import Refusal
from locum.ledger.checkpoint import open_checkpoint
from locum.ledger.tiles import tree_root
from locum.ledger.verification import verify_log
from locum.model.estate import Estate
from locum.model.names import IdentityName, RequestId
from locum.model.refusal import Conflict, LocumError
from locum.model.request import Open, approvals_of, ask_of, grant_of
from locum.model.secret import Secret
from locum.service.activate import Opened
from locum.service.agreement import compare
from locum.service.caller import Proven
from locum.service.published import StoreSource
from locum.store.opening import migrate
from locum.store.port import Store, Transaction
from locum.store.postgres import PostgresStore
from locum.store.records import Row
from locum.store.sqlite import SqliteStore
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
RECENT = 12


@dataclass
class Known:
    """What was acknowledged up to now."""

    versions: dict[str, int] = field(default_factory=dict)
    takes: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    spent: list[tuple[str, str]] = field(default_factory=list)
    invited: list[str] = field(default_factory=list)
    redeemed: dict[str, str] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    acknowledged: int = 0
    checks: int = 0
    faults: list[str] = field(default_factory=list)

    def learn(self, line: str) -> None:
        """Take in one line of a process."""
        kind, *words = json.loads(line)
        self.acknowledged += 1
        match kind:
            case "row":
                request, version = words
                self.versions[request] = max(version, self.versions.get(request, 0))
            case "taken":
                request, token = words
                self.takes[request] = self.takes.get(request, 0) + 1
                self.tokens[token] = request
            case "spent":
                self.spent.append((words[0], words[1]))
            case "invited":
                self.invited.append(words[0])
            case "redeemed":
                self.redeemed[words[0]] = words[1]
            case "note":
                self.notes.add(words[0])
            case "checked":
                self.checks += 1
            case _:
                self.faults.append(f"{kind}: {words}")


Tell = Callable[..., None]


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


def clock() -> datetime:
    return datetime.now(UTC)


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


def integrate(house: House, tell: Tell) -> None:
    """Integrate what waits, and tell of the checkpoint that anybody could have seen."""
    with contextlib.suppress(LocumError):
        house.sequencer.integrate()
    for note in (house.sequencer.anchor.load(), house.store.look(lambda one: one.checkpoint())):
        if note is not None:
            tell("note", note.decode())


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


def key_of(code: str, which: str) -> str:
    return f"{code[-24:]}-{which}"


# What the next process finds


def check(house: House, known: Known, tell: Tell) -> None:
    """Check everything that was acknowledged against what is kept."""
    house.store.look(lambda transaction: check_kept(transaction, known, tell))
    for jkt, jti in known.spent[-RECENT:]:
        check_spent(house, jkt, jti, tell)
    for code in known.invited[-RECENT:]:
        check_invitation(house, code, known.redeemed.get(code), tell)
    integrate(house, tell)
    house.store.look(lambda transaction: check_tree(house, transaction, known, tell))
    tell("checked")


def check_kept(transaction: Transaction, known: Known, tell: Tell) -> None:
    rows: dict[str, Row] = {}
    cursor = None
    while True:
        page = transaction.requests(cursor=cursor, limit=1_000)
        rows |= {ask_of(row.state).id: row for row in page.rows}
        cursor = page.cursor
        if cursor is None:
            break
    for request, version in known.versions.items():
        if request not in rows or rows[request].version < version:
            tell("lost", request, version)
    for row in rows.values():
        check_row(row, tell)
    reasons = [ask_of(row.state).reason for row in rows.values()]
    if len(set(reasons)) < len(reasons):
        tell("one proof made two requests")
    for text, request in known.tokens.items():
        token = transaction.token(bytes.fromhex(text))
        if token is None or token.grant != grant_id(RequestId(request)):
            tell("token lost", request)
        elif (token.revoked_at is None) != isinstance(rows[request].state, Open):
            tell("token outlived its grant", request)
    for one in compare(transaction).disagreements:
        tell("ledger and state disagree", one.request, one.fact)


def check_row(row: Row, tell: Tell) -> None:
    by = [approval.by for approval in approvals_of(row.state)]
    if len(set(by)) < len(by) or len(by) > 2:
        tell("approved twice", ask_of(row.state).id, *by)
    grant = grant_of(row.state)
    if grant is not None and len(by) != 2:
        tell("opened without approvals", grant.id)
    if isinstance(row.state, Open) and row.state.used > row.state.grant.uses:
        tell("used too often", row.state.grant.id)


def check_spent(house: House, jkt: str, jti: str, tell: Tell) -> None:
    until = clock() + timedelta(minutes=2)
    with contextlib.suppress(Conflict):
        house.do(lambda transaction: transaction.claim_proof(jkt, jti, until))
        tell("proof spent twice", jkt, jti)


def check_invitation(house: House, code: str, redeemed: str | None, tell: Tell) -> None:
    def registered(transaction: Transaction) -> list[str]:
        kept = {key.jkt for key in transaction.callers_of(IdentityName("erin"))}
        return [key_of(code, which) for which in "abc" if key_of(code, which) in kept]

    before = house.store.look(registered)
    if len(before) > 1 or (redeemed is not None and before != [redeemed]):
        tell("redeemed twice or lost", redeemed, *before)
    try:
        house.do(house.redeem(Secret(code), key_of(code, "c")))
    except LocumError:
        if not before:
            tell("an invitation was spent for nothing", code)
    else:
        if before:
            tell("an invitation was spent twice", code)
        tell("redeemed", code, key_of(code, "c"))


def check_tree(house: House, transaction: Transaction, known: Known, tell: Tell) -> None:
    size = transaction.ledger_size()
    for note in known.notes:
        signed = open_checkpoint(note.encode(), (house.sequencer.signer.verifier,))
        if signed.size > size or tree_root(signed.size, transaction.tile) != signed.root:
            tell("forked", signed.size, size)


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
