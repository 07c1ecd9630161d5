"""What was acknowledged before a kill, and what the next process must find of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from locum.ledger.checkpoint import open_checkpoint
from locum.ledger.tiles import tree_root
from locum.model.names import IdentityName, RequestId
from locum.model.refusal import Conflict, LocumError
from locum.model.request import Open, approvals_of, ask_of, grant_of
from locum.model.secret import Secret
from locum.service.agreement import compare
from locum.store.port import Transaction
from locum.store.records import Row
from tests.faults.house import House, grant_id

RECENT = 12


Tell = Callable[..., None]


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


def clock() -> datetime:
    return datetime.now(UTC)


def integrate(house: House, tell: Tell) -> None:
    """Integrate what waits, and tell of the checkpoint that anybody could have seen."""
    with contextlib.suppress(LocumError):
        house.sequencer.integrate()
    for note in (house.sequencer.anchor.load(), house.store.look(lambda one: one.checkpoint())):
        if note is not None:
            tell("note", note.decode())


def key_of(code: str, which: str) -> str:
    return f"{code[-24:]}-{which}"


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
        house.do(lambda transaction: transaction.claim_proof(jkt, jti, until, clock()))
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
