"""Every verb of the store's interface, on both stores."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from locum.ledger.merkle import leaf_hash
from locum.ledger.tiles import grow, tree_root
from locum.model.cause import Cause
from locum.model.names import Digest, GrantId, IdentityName, PathName, RequestId
from locum.model.refusal import Conflict, LocumError, MalformedInput, StorageError
from locum.model.request import State, ask_of
from locum.store.port import Store, Transaction
from locum.store.records import Answer, CallerKey, Invitation, Sealed, Task, Token
from locum.store.sql_ledger import check_seal
from tests.stores.conftest import SEAL_KEY, system_clock
from tests.stores.states import (
    ALICE,
    HOUR,
    NOW,
    PATH,
    asked,
    closed,
    ready,
    reviewed,
    used,
)
from tests.stores.states import (
    opened as open_grant,
)

CLAIMANTS = 16
MINUTE = timedelta(minutes=1)


def do(store: Store, verb: Callable[[Transaction], object]) -> object:
    return store.act(verb).result()


def add(store: Store, *states: State) -> None:
    for state in states:
        do(store, lambda transaction, one=state: transaction.add_request(one))


def winners(store: Store, verb: Callable[[Transaction], object]) -> list[object]:
    """Let sixteen threads do it at once; give what those got who won."""
    barrier = threading.Barrier(CLAIMANTS)

    def claim(_: int) -> list[object]:
        barrier.wait()
        try:
            return [do(store, verb)]
        except Conflict:
            return []

    with ThreadPoolExecutor(CLAIMANTS) as threads:
        return [one for found in threads.map(claim, range(CLAIMANTS)) for one in found]


def test_a_request_is_kept_and_found_by_its_id_and_its_grant(store: Store) -> None:
    state = open_grant()
    add(store, state)
    for found in (
        store.look(lambda transaction: transaction.request(state.ask.id)),
        store.look(lambda transaction: transaction.request_of(state.grant.id)),
        do(store, lambda transaction: transaction.request(state.ask.id)),
    ):
        assert found is not None
        assert (found.state, found.version) == (state, 1)  # type: ignore[attr-defined]
    assert store.look(lambda transaction: transaction.request(RequestId("rq_none"))) is None
    assert store.look(lambda transaction: transaction.request_of(GrantId("gr_none"))) is None


def test_a_request_is_kept_once(store: Store) -> None:
    add(store, asked())
    with pytest.raises(Conflict):
        add(store, asked())


def test_of_sixteen_saves_of_one_version_one_wins(store: Store) -> None:
    add(store, asked())
    assert len(winners(store, lambda transaction: transaction.save_request(ready(), 1, None))) == 1
    row = store.look(lambda transaction: transaction.request(asked().ask.id))
    assert row is not None
    assert (row.state, row.version) == (ready(), 2)


def test_of_sixteen_grants_that_claim_one_target_one_wins(store: Store) -> None:
    add(store, *(ready(number) for number in range(CLAIMANTS)))
    states = [open_grant(number) for number in range(CLAIMANTS)]
    futures = [
        store.act(lambda transaction, one=state: transaction.save_request(one, 1, "the target"))
        for state in states
    ]
    failures = [future.exception() for future in futures]
    assert failures.count(None) == 1
    assert all(one is None or isinstance(one, Conflict) for one in failures)


def test_a_claim_is_free_again_after_a_save_without_it(store: Store) -> None:
    add(store, ready(1), ready(2))
    do(store, lambda transaction: transaction.save_request(open_grant(1), 1, "the target"))
    with pytest.raises(Conflict):
        do(store, lambda transaction: transaction.save_request(open_grant(2), 1, "the target"))
    do(store, lambda transaction: transaction.save_request(closed(1, dead=True), 2, None))
    do(store, lambda transaction: transaction.save_request(open_grant(2), 1, "the target"))


def test_requests_are_listed_newest_first_by_pages_and_filters(store: Store) -> None:
    other = PathName.parse("ci/other")
    add(store, asked(1), ready(2), open_grant(3), open_grant(4, other), closed(5))
    numbers = []
    cursor = None
    for _ in range(3):
        page = store.look(lambda transaction, at=cursor: transaction.requests(cursor=at, limit=2))
        numbers += [int(ask_of(row.state).id[3:], 16) for row in page.rows]
        cursor = page.cursor
    assert (numbers, cursor) == ([5, 4, 3, 2, 1], None)

    def listed(**filters: object) -> list[int]:
        page = store.look(lambda transaction: transaction.requests(**filters))  # type: ignore[arg-type]
        return [int(ask_of(row.state).id[3:], 16) for row in page.rows]

    assert listed(grants_only=True) == [5, 4, 3]
    assert listed(state="open") == [4, 3]
    assert listed(path=other) == [4]
    assert listed(path=PATH, state="open") == [3]
    found = store.look(lambda transaction: transaction.open_grants())
    assert {ask_of(row.state).id for row in found} == {asked(n).ask.id for n in (3, 4)}


def test_a_cursor_that_was_not_given_out_is_refused(store: Store) -> None:
    with pytest.raises(MalformedInput):
        store.look(lambda transaction: transaction.requests(cursor="'; DROP TABLE requests"))


def test_what_time_alone_changes_is_due_at_its_instant_and_not_before(store: Store) -> None:
    add(store, asked(1), ready(2), open_grant(3), closed(4), reviewed(5))
    early = timedelta(microseconds=1)

    def due(at: object, limit: int = 10) -> set[int]:
        found = store.look(lambda transaction: transaction.due(at, limit))  # type: ignore[arg-type]
        return {int(one[3:], 16) for one in found}

    assert due(NOW + HOUR - early) == set()
    assert due(NOW + HOUR) == {1, 2}
    assert due(NOW + 2 * HOUR) == {1, 2, 3}
    assert len(due(NOW + 2 * HOUR, limit=2)) == 2


def test_the_past_of_a_path_tells_reviews_deaths_and_drills(store: Store) -> None:
    add(
        store, closed(1), closed(2, dead=True), closed(3, dead=True, cause=Cause.DRILL), reviewed(4)
    )
    ids = [open_grant(number).grant.id for number in range(5)]
    facts = store.look(lambda transaction: transaction.path_facts(PATH, NOW))
    assert facts.unsettled == (ids[1],)
    assert (facts.due, facts.overdue) == ((ids[1], ids[2], ids[3]), ())
    assert facts.drilled_at == NOW
    later = store.look(lambda transaction: transaction.path_facts(PATH, NOW + HOUR))
    assert later.overdue == facts.due
    other = store.look(
        lambda transaction: transaction.path_facts(PathName.parse("ci/other"), NOW + HOUR)
    )
    assert (other.unsettled, other.due, other.overdue, other.drilled_at) == ((), (), (), None)


def test_a_declaration_is_kept_under_its_digest_however_often(store: Store) -> None:
    name = Digest("sha256:" + "1" * 64)
    for _ in range(2):
        do(store, lambda transaction: transaction.declare(name, b"{}"))
    assert store.look(lambda transaction: transaction.declaration(name)) == b"{}"
    assert store.look(lambda transaction: transaction.declaration(Digest("none"))) is None


def invitation(code: bytes = b"code") -> Invitation:
    return Invitation(
        code, ALICE, frozenset({ALICE}), NOW, NOW + HOUR, frozenset({"managed-device"})
    )


def test_of_sixteen_who_redeem_one_invitation_one_gets_it(store: Store) -> None:
    do(store, lambda transaction: transaction.invite(invitation()))
    got = winners(store, lambda transaction: transaction.redeem(b"code", NOW))
    assert [one for one in got if one is not None] == [invitation()]


def test_an_ended_invitation_is_not_redeemed(store: Store) -> None:
    do(store, lambda transaction: transaction.invite(invitation()))
    assert do(store, lambda transaction: transaction.redeem(b"code", NOW + HOUR)) is None
    assert do(store, lambda transaction: transaction.redeem(b"other", NOW)) is None


def key(jkt: str = "key", owner: str = "alice") -> CallerKey:
    return CallerKey(
        jkt,
        IdentityName(owner),
        b"{}",
        NOW,
        NOW + HOUR,
        frozenset({"managed-device", "a"}),
        invited_by=frozenset({IdentityName("carol"), IdentityName("bob")}),
    )


def test_a_key_is_registered_once_and_told_with_all_of_its_owner(store: Store) -> None:
    assert len(winners(store, lambda transaction: transaction.add_caller(key()))) == 1
    do(store, lambda transaction: transaction.add_caller(key("second")))
    do(store, lambda transaction: transaction.add_caller(key("bobs", "bob")))
    assert store.look(lambda transaction: transaction.caller("key")) == key()
    assert store.look(lambda transaction: transaction.caller("none")) is None
    found = store.look(lambda transaction: transaction.callers_of(ALICE))
    assert {one.jkt for one in found} == {"key", "second"}


def test_a_key_revoked_twice_keeps_the_first_instant(store: Store) -> None:
    do(store, lambda transaction: transaction.add_caller(key()))
    for at in (NOW, NOW + HOUR):
        do(store, lambda transaction, when=at: transaction.revoke_caller("key", when))
    found = store.look(lambda transaction: transaction.caller("key"))
    assert found is not None
    assert found.revoked_at == NOW


def test_of_sixteen_uses_of_one_proof_one_passes(store: Store) -> None:
    def claim(transaction: Transaction) -> None:
        transaction.claim_proof("key", "jti", NOW + HOUR, NOW)

    assert len(winners(store, claim)) == 1
    do(store, lambda transaction: transaction.claim_proof("other key", "jti", NOW + HOUR, NOW))


def test_the_tokens_of_a_grant_are_revoked_together_and_once(store: Store) -> None:
    grant, other = GrantId("gr_1"), GrantId("gr_2")
    for name, of in ((b"a", grant), (b"b", grant), (b"c", other)):
        token = Token(name, of, ALICE, "key", NOW, NOW + HOUR)
        do(store, lambda transaction, one=token: transaction.add_token(one))
    assert do(store, lambda transaction: transaction.revoke_tokens(grant, NOW)) == 2
    assert do(store, lambda transaction: transaction.revoke_tokens(grant, NOW + HOUR)) == 0
    revoked = store.look(lambda transaction: transaction.token(b"a"))
    assert revoked == Token(b"a", grant, ALICE, "key", NOW, NOW + HOUR, NOW)
    left = store.look(lambda transaction: transaction.token(b"c"))
    assert left is not None
    assert left.revoked_at is None
    assert store.look(lambda transaction: transaction.token(b"none")) is None


def test_an_answer_is_kept_once_and_for_its_time(store: Store) -> None:
    answer, now = Answer(b"digest", 201, b"{}"), system_clock()

    def remember(transaction: Transaction) -> None:
        transaction.remember("key", "idempotency", answer, now + HOUR)

    assert len(winners(store, remember)) == 1
    assert store.look(lambda one: one.answer("key", "idempotency")) == answer
    assert store.look(lambda one: one.answer("other key", "idempotency")) is None
    do(store, lambda one: one.remember("key", "ended", answer, now - HOUR))
    assert store.look(lambda one: one.answer("key", "ended")) is None


def task(kind: str = "settle", due_in: timedelta = timedelta(0)) -> Task:
    return Task(kind, b"{}", NOW, NOW + due_in, "rq_1")


def test_tasks_are_taken_once_by_sixteen_and_again_when_their_claim_ends(store: Store) -> None:
    for _ in range(40):
        do(store, lambda transaction: transaction.enqueue(task()))
    do(store, lambda transaction: transaction.enqueue(task(due_in=HOUR)))
    until = NOW + timedelta(minutes=1)
    taken = winners(store, lambda transaction: transaction.take_tasks(NOW, until, 3))
    ids = [one.id for some in taken for one in some]  # type: ignore[attr-defined]
    assert len(set(ids)) == len(ids) == 40
    again = do(store, lambda transaction: transaction.take_tasks(until, 2 * MINUTE + NOW, 100))
    assert {one.id for one in again} == set(ids)  # type: ignore[attr-defined]


def test_a_task_is_put_off_with_its_error_or_struck_off(store: Store) -> None:
    for _ in range(2):
        do(store, lambda transaction: transaction.enqueue(task()))
    first, second = do(store, lambda one: one.take_tasks(NOW, NOW + MINUTE, 9))  # type: ignore[misc]
    assert store.look(lambda transaction: transaction.waiting_tasks(9)) == ()
    do(store, lambda one: one.postpone_task(first.id, NOW + MINUTE, "sealed: unseal it"))
    do(store, lambda one: one.finish_task(second.id))
    (left,) = store.look(lambda transaction: transaction.waiting_tasks(9))
    assert (left.id, left.attempts, left.last_error) == (first.id, 1, "sealed: unseal it")
    assert store.look(lambda transaction: transaction.outbox()) == (1, NOW)
    assert do(store, lambda one: one.take_tasks(NOW, NOW + MINUTE, 9)) == ()
    assert do(store, lambda one: one.take_tasks(NOW + MINUTE, NOW + 2 * MINUTE, 9)) == (left,)


def test_of_sixteen_seals_of_one_version_one_wins(store: Store) -> None:
    assert winners(store, lambda one: one.seal(Sealed("name", 1, b"first"))) == [None]
    assert winners(store, lambda one: one.seal(Sealed("name", 2, b"second"))) == [None]
    assert store.look(lambda one: one.sealed("name")) == Sealed("name", 2, b"second")
    for _ in range(2):
        do(store, lambda one: one.forget_sealed("name"))
    assert store.look(lambda one: one.sealed("name")) is None


def test_a_proof_that_may_be_forgotten_is_not_spent(store: Store) -> None:
    end, tick = NOW + HOUR, timedelta(microseconds=1)
    do(store, lambda one: one.claim_proof("key", "1", end, NOW))
    assert do(store, lambda one: one.prune(end + timedelta(seconds=59), 9)) == 0
    assert do(store, lambda one: one.prune(end + timedelta(seconds=60), 9)) == 1
    for at in (end - timedelta(seconds=240), end - tick, end):
        with pytest.raises(StorageError, match="clock"):
            do(store, lambda one, now=at: one.claim_proof("key", "1", now + HOUR, now))
    do(store, lambda one: one.claim_proof("key", "1", end + HOUR, end + tick))
    with pytest.raises(Conflict):
        do(store, lambda one: one.claim_proof("key", "1", end + HOUR, end + tick))
    do(store, lambda one: one.claim_proof("key", "2", NOW, NOW - HOUR))


def test_words_are_kept_behind_their_commitment(store: Store) -> None:
    do(store, lambda one: one.disclose("sha256:1", b"salt", "orders are stuck – ☎"))
    assert store.look(lambda one: one.disclosed("sha256:1")) == (b"salt", "orders are stuck – ☎")
    assert store.look(lambda one: one.disclosed("sha256:2")) is None


def test_what_is_past_its_time_is_pruned_and_nothing_else(store: Store) -> None:
    now = system_clock()
    for number, until in enumerate((now - HOUR, now - HOUR, now + HOUR)):
        do(store, lambda one, n=number, u=until: one.claim_proof("key", str(n), u, now))
        do(store, lambda one, n=number, u=until: one.remember("k", str(n), Answer(b"", 1, b""), u))
    do(store, lambda one: one.invite(invitation()))
    assert do(store, lambda one: one.prune(now, 1)) == 2
    assert do(store, lambda one: one.prune(now, 100)) == 2
    assert do(store, lambda one: one.prune(now, 100)) == 0
    with pytest.raises(Conflict):
        do(store, lambda one: one.claim_proof("key", "2", now + HOUR, now))
    do(store, lambda one: one.claim_proof("key", "0", now + HOUR, now))
    assert store.look(lambda one: one.answer("k", "2")) is not None


def append(store: Store, *entries: bytes) -> None:
    for entry in entries:
        do(store, lambda transaction, one=entry: transaction.append(one))


def integrate(transaction: Transaction) -> int:
    waiting = transaction.pending(100)
    size = transaction.ledger_size()
    entries = [entry for _, entry, _ in waiting]
    tiles = grow(size, transaction.tile, [leaf_hash(entry) for entry in entries]).tiles
    transaction.integrate([number for number, _, _ in waiting], size, entries, tiles)
    return len(entries)


def test_entries_wait_under_a_seal_and_are_integrated_in_order(store: Store) -> None:
    append(store, b"a", b"b")
    waiting = store.look(lambda transaction: transaction.pending(9))
    assert [entry for _, entry, _ in waiting] == [b"a", b"b"]
    for number, entry, sealed in waiting:
        check_seal(SEAL_KEY, number, entry, sealed)
        with pytest.raises(StorageError):
            check_seal(SEAL_KEY, number, entry + b"!", sealed)
    count, since = store.look(lambda transaction: transaction.pending_count())
    assert count == 2
    assert since is not None
    assert do(store, integrate) == 2
    append(store, b"c")
    assert do(store, integrate) == 1
    assert store.look(lambda transaction: transaction.pending_count()) == (0, None)
    assert store.look(lambda transaction: transaction.ledger_size()) == 3
    assert store.look(lambda transaction: transaction.entries(1, 9)) == (b"b", b"c")
    tile = store.look(lambda transaction: transaction.tile(0, 0))
    assert tile == b"".join(map(leaf_hash, (b"a", b"b", b"c")))
    assert store.look(lambda transaction: tree_root(3, transaction.tile))
    assert store.look(lambda transaction: transaction.tile(1, 0)) is None


def test_an_index_is_given_once(store: Store) -> None:
    append(store, b"a")
    do(store, integrate)
    with pytest.raises(Conflict):
        do(store, lambda transaction: transaction.integrate([], 0, [b"other"], {}))


def test_a_smaller_checkpoint_does_not_replace_a_larger(store: Store) -> None:
    assert store.look(lambda transaction: transaction.checkpoint()) is None
    do(store, lambda transaction: transaction.publish(2, b"two"))
    with pytest.raises(Conflict):
        do(store, lambda transaction: transaction.publish(1, b"one"))
    do(store, lambda transaction: transaction.publish(2, b"two, cosigned"))
    assert store.look(lambda transaction: transaction.checkpoint()) == b"two, cosigned"


def test_an_act_that_fails_is_undone_alone_and_wholly(store: Store) -> None:
    def fails(transaction: Transaction) -> None:
        transaction.append(b"of the failed act")
        transaction.add_request(asked(2))
        raise MalformedInput("No.", "Yes.")

    acts = [
        store.act(lambda transaction, n=number: transaction.append(b"kept %d" % n))
        if number % 3
        else store.act(fails)
        for number in range(30)
    ]
    raised = [isinstance(one.exception(), MalformedInput) for one in acts]
    assert raised == [number % 3 == 0 for number in range(30)]
    waiting = store.look(lambda transaction: transaction.pending(99))
    assert {entry for _, entry, _ in waiting} == {b"kept %d" % n for n in range(30) if n % 3}
    assert store.look(lambda transaction: transaction.request(asked(2).ask.id)) is None


def test_an_act_that_breaks_unforeseen_tells_its_caller_and_stops_nobody(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        do(store, lambda transaction: 1 // 0)
    add(store, asked())


def test_a_look_writes_nothing(store: Store) -> None:
    with pytest.raises(StorageError):
        store.look(lambda transaction: transaction.append(b"by a look"))
    assert store.look(lambda transaction: transaction.pending(9)) == ()


def test_a_look_sees_one_instant_whatever_is_done_meanwhile(store: Store) -> None:
    add(store, open_grant())
    request = open_grant().ask.id

    def look(transaction: Transaction) -> tuple[object, object]:
        before = transaction.request(request)
        do(store, lambda one: one.save_request(used(open_grant(), 1), 1, None))
        return before, transaction.request(request)

    before, after = store.look(look)
    assert before == after
    found = store.look(lambda transaction: transaction.request(request))
    assert found is not None
    assert found.version == 2


def test_who_finds_another_at_a_sole_act_gets_nothing_at_once(store: Store) -> None:
    def one_inside(transaction: Transaction) -> list[object]:
        transaction.append(b"sole")
        with ThreadPoolExecutor(1) as thread:
            return [
                thread.submit(store.sole, "a name", lambda _: "entered").result(),
            ]

    assert store.sole("a name", one_inside) == [None]
    assert store.sole("a name", lambda _: "free again") == "free again"


def test_two_acts_that_wait_for_each_other_both_get_through(store: Store) -> None:
    add(store, asked(1), asked(2))
    met = threading.Event()
    meeting = threading.Barrier(2, action=met.set)

    def meet() -> None:
        # With one writer, and at a second attempt, the other is not there.
        if not met.is_set():
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(timeout=0.3)

    def lock_both(first: int, second: int) -> Callable[[Transaction], None]:
        def act(transaction: Transaction) -> None:
            transaction.request(asked(first).ask.id)
            meet()
            row = transaction.request(asked(second).ask.id)
            assert row is not None
            transaction.save_request(row.state, row.version, None)

        return act

    for waiting in [store.act(lock_both(1, 2)), store.act(lock_both(2, 1))]:
        waiting.result()
    rows = [
        store.look(lambda transaction, n=n: transaction.request(asked(n).ask.id)) for n in (1, 2)
    ]
    assert [row and row.version for row in rows] == [2, 2]


def test_what_is_kept_is_there_when_the_store_is_opened_again(
    opened: Callable[[], Store],
) -> None:
    first = opened()
    add(first, asked())
    waiting = [first.act(lambda one, n=n: one.append(b"%d" % n)) for n in range(50)]
    first.close()
    assert all(one.exception() is None for one in waiting)
    second = opened()
    assert second.look(lambda transaction: transaction.request(asked().ask.id)) is not None
    assert second.look(lambda transaction: transaction.pending_count())[0] == 50


def test_a_closed_store_refuses_and_says_what_to_do(store: Store) -> None:
    add(store, asked())
    store.close()
    store.close()
    for attempt in (
        lambda: do(store, lambda transaction: transaction.heartbeat(NOW)),
        lambda: store.look(lambda transaction: transaction.ledger_size()),
        lambda: store.sole("a name", lambda transaction: None),
        store.ready,
    ):
        with pytest.raises(StorageError, match="Start Locum again") as refused:
            attempt()
        assert isinstance(refused.value, LocumError)


def test_a_store_that_works_says_that_it_is_ready(store: Store) -> None:
    store.ready()
    store.ready()
