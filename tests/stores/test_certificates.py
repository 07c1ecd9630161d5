"""Certificates and what ACME keeps, on both stores: the write is the claim."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec
import pytest

from locum.model.acme import AcmeAccount, AcmeBinding, AcmeOrder
from locum.model.names import GrantId, PathName, RequestId
from locum.model.refusal import Conflict
from locum.store.port import Store
from locum.store.records import CertificateRow
from locum.store.sql_certificates import SHARDS, shard_of
from tests.stores.states import HOUR, NOW
from tests.stores.test_store import CLAIMANTS, do, winners

GRANT, OTHER = GrantId("gr_1"), GrantId("gr_2")
PATH = PathName.parse("pay/backup")
MINUTE = timedelta(minutes=1)


def row(number: int, grant: GrantId = GRANT, ends: timedelta = HOUR) -> CertificateRow:
    digits = f"{number:064x}"
    return CertificateRow(f"{number:x}", grant, digits, digits[::-1], NOW, NOW + ends, b"DER")


def add(store: Store, *rows: CertificateRow) -> None:
    for one in rows:
        do(store, lambda transaction, one=one: transaction.add_certificate(one))


def listed(store: Store, **how: object) -> set[str]:
    found = store.look(
        lambda transaction: transaction.revoked_certificates(NOW, **how)  # type: ignore[arg-type]
    )
    return {serial for serial, _, _, _ in found}


def revoke(store: Store, grant: GrantId = GRANT, after: timedelta = MINUTE) -> object:
    return do(
        store,
        lambda transaction: transaction.revoke_certificates(grant, NOW + after, "superseded"),
    )


def test_a_certificate_is_found_by_serial_key_and_grant(store: Store) -> None:
    add(store, row(1), row(2), row(3, OTHER))
    assert store.look(lambda transaction: transaction.certificate("2")) == row(2)
    assert store.look(lambda transaction: transaction.certificate("4")) is None
    found = store.look(lambda transaction: transaction.certificate_of_key(row(3).key))
    assert found == row(3, OTHER)
    assert store.look(lambda transaction: transaction.certificates_of(GRANT)) == (row(1), row(2))


def test_a_key_and_a_serial_have_one_certificate_ever(store: Store) -> None:
    add(store, row(1))
    revoke(store)
    for again in (
        msgspec.structs.replace(row(2), key=row(1).key),
        msgspec.structs.replace(row(2), serial=row(1).serial),
    ):
        with pytest.raises(Conflict):
            add(store, again)
    assert store.look(lambda transaction: transaction.certificate("2")) is None


def test_of_sixteen_certificates_for_one_key_one_is_kept(store: Store) -> None:
    assert len(winners(store, lambda transaction: transaction.add_certificate(row(1)))) == 1


def test_a_revocation_is_of_one_grant_once_and_says_when_and_why(store: Store) -> None:
    add(store, row(1), row(2), row(3, OTHER))
    assert set(revoke(store)) == {"1", "2"}  # type: ignore[call-overload]
    assert revoke(store, after=2 * MINUTE) == ()
    kept = store.look(lambda transaction: transaction.certificate("1"))
    assert kept is not None
    assert (kept.revoked_at, kept.reason) == (NOW + MINUTE, "superseded")
    assert listed(store) == {"1", "2"}


def test_the_list_leaves_out_what_ended_and_what_was_revoked_before(store: Store) -> None:
    add(store, row(1), row(2, OTHER, ends=timedelta(0)), row(3, OTHER))
    revoke(store)
    revoke(store, OTHER, after=2 * MINUTE)
    assert listed(store) == {"1", "3"}
    assert listed(store, since=NOW + MINUTE) == {"3"}


def test_the_parts_are_the_whole_and_each_certificate_is_in_its_own(store: Store) -> None:
    rows = [row(number) for number in range(1, 200)]
    add(store, *rows)
    revoke(store)
    parts = [listed(store, shard=number) for number in range(SHARDS)]
    assert set[str]().union(*parts) == {one.serial for one in rows}
    assert sum(len(part) for part in parts) == len(rows)
    assert all(one.serial in parts[shard_of(one.serial)] for one in rows)


def test_the_mark_changes_with_every_change_of_the_list(store: Store) -> None:
    def mark(at: timedelta = timedelta(0)) -> object:
        return store.look(lambda transaction: transaction.revocation_mark(NOW + at))

    marks = [mark()]
    add(store, row(1), row(2, OTHER, ends=2 * HOUR))
    assert mark() == marks[0]  # issued, not revoked
    for grant in (GRANT, OTHER):
        revoke(store, grant)
        marks.append(mark())
    marks.append(mark(HOUR + MINUTE))  # the first has ended
    assert len(set(map(repr, marks))) == len(marks)


def binding(kid: str = "k") -> AcmeBinding:
    return AcmeBinding(kid, PATH, "PEM", NOW + 10 * MINUTE)


def account(name: str = "a", jkt: str = "j", path: PathName = PATH) -> AcmeAccount:
    return AcmeAccount(name, jkt, b"{}", path, "PEM", NOW, NOW + HOUR)


def order(name: str = "o", made: timedelta = timedelta(0)) -> AcmeOrder:
    return AcmeOrder(
        name, "a", RequestId("rq_1"), ("dns:a", "dns:b"), NOW + made, NOW + made + HOUR
    )


def spent(store: Store, kid: str, after: timedelta = timedelta(0)) -> object:
    return do(store, lambda transaction: transaction.spend_acme_binding(kid, NOW + after))


def test_a_binding_key_is_spent_once_and_in_time(store: Store) -> None:
    for kid in ("k", "late"):
        do(store, lambda transaction, kid=kid: transaction.add_acme_binding(binding(kid), NOW))
    assert spent(store, "none") is None
    assert spent(store, "late", 10 * MINUTE) is None
    assert spent(store, "k") == binding("k")
    assert spent(store, "k") is None


def test_of_sixteen_who_spend_one_binding_key_one_gets_it(store: Store) -> None:
    do(store, lambda transaction: transaction.add_acme_binding(binding(), NOW))
    got = winners(store, lambda transaction: transaction.spend_acme_binding("k", NOW))
    assert len(got) == CLAIMANTS
    assert [one for one in got if one is not None] == [binding()]


def test_a_key_has_one_account_and_an_account_one_key(store: Store) -> None:
    made = winners(store, lambda transaction: transaction.add_acme_account(account()))
    assert len(made) == 1
    do(store, lambda transaction: transaction.add_acme_account(account("b", "other")))
    with pytest.raises(Conflict):  # the key is another's
        do(store, lambda transaction: transaction.change_acme_key(account(), "other", b"{}"))
    do(store, lambda transaction: transaction.change_acme_key(account(), "new", b"[]"))
    with pytest.raises(Conflict):  # it has another key by now
        do(store, lambda transaction: transaction.change_acme_key(account(), "newer", b"{}"))
    found = store.look(lambda transaction: transaction.acme_account_of_key("new"))
    assert found == msgspec.structs.replace(account(), jkt="new", jwk=b"[]")
    assert store.look(lambda transaction: transaction.acme_account_of_key("j")) is None


def test_an_account_ends_once_and_rests_on_what_its_path_last_saw(store: Store) -> None:
    elsewhere = PathName.parse("pay/another")
    for one in (account(), account("b", "other", elsewhere)):
        do(store, lambda transaction, one=one: transaction.add_acme_account(one))
    do(store, lambda transaction: transaction.acme_primary(PATH, "NEW"))

    def rests_on(names: Iterable[str]) -> list[str]:
        found = [
            store.look(lambda transaction, name=name: transaction.acme_account(name))
            for name in names
        ]
        return [one.certificate for one in found if one is not None]

    assert rests_on("ab") == ["NEW", "PEM"]
    ended = [
        do(store, lambda transaction: transaction.deactivate_acme_account("a", NOW))
        for _ in range(2)
    ]
    assert ended == [True, False]


def test_an_order_is_finalized_once(store: Store) -> None:
    do(store, lambda transaction: transaction.add_acme_account(account()))
    do(store, lambda transaction: transaction.add_acme_order(order()))
    assert len(winners(store, lambda transaction: transaction.finalize_acme_order("o", "K"))) == 1
    found = store.look(lambda transaction: transaction.acme_order("o"))
    assert found == msgspec.structs.replace(order(), key="K")
    assert store.look(lambda transaction: transaction.acme_order("none")) is None


def test_orders_are_the_newest_first_and_forgotten_a_month_after_their_end(store: Store) -> None:
    do(store, lambda transaction: transaction.add_acme_account(account()))
    month = 31 * 24 * HOUR + 2 * HOUR
    for one in (order("old"), order("mid", HOUR), order("new", month)):
        do(store, lambda transaction, one=one: transaction.add_acme_order(one))
    found = store.look(lambda transaction: transaction.acme_orders_of("a", 10))
    assert [one.id for one in found] == ["new"]
    assert store.look(lambda transaction: transaction.acme_orders_of("b", 10)) == ()
