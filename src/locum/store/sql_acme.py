"""ACME in SQL: keys that bind accounts, accounts, and orders."""

from __future__ import annotations

from datetime import datetime, timedelta

from locum.model.acme import AcmeAccount, AcmeBinding, AcmeOrder
from locum.model.names import PathName, RequestId
from locum.store.columns import instant, maybe, micros
from locum.store.statements import On, taken_by_another

_ACCOUNT = "id, jkt, jwk, path, certificate, made_at, expires_at, deactivated_at"
_ORDER = "id, account, request, names, made_at, expires_at, key"
_FORGOTTEN_AFTER = timedelta(days=30)
"""How long an order is kept beyond its end, for clients that ask once more."""


def add_acme_binding(on: On, binding: AcmeBinding, now: datetime) -> None:
    """Keep a binding key's name, and forget those whose time is over."""
    on.run("DELETE FROM acme_bindings WHERE expires_at <= ?", micros(now))
    on.run(
        "INSERT INTO acme_bindings (kid, path, certificate, expires_at) VALUES (?, ?, ?, ?)",
        binding.kid,
        str(binding.path),
        binding.certificate,
        micros(binding.expires_at),
    )


def spend_acme_binding(on: On, kid: str, now: datetime) -> AcmeBinding | None:
    """Spend a binding key: one statement decides who was first."""
    found = on.run(
        "UPDATE acme_bindings SET spent_at = ? WHERE kid = ? AND spent_at IS NULL"
        " AND expires_at > ? RETURNING path, certificate, expires_at",
        micros(now),
        kid,
        micros(now),
    )
    if not found:
        return None
    path, certificate, expires = found[0]
    return AcmeBinding(kid, PathName.parse(path), certificate, instant(expires))


def add_acme_account(on: On, account: AcmeAccount) -> None:
    """Keep a new account, unless its key has one."""
    added = on.run(
        f"INSERT INTO acme_accounts ({_ACCOUNT}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        account.id,
        account.jkt,
        account.jwk,
        str(account.path),
        account.certificate,
        micros(account.made_at),
        micros(account.expires_at),
    )
    if not added:
        raise taken_by_another("The account")


def acme_account(on: On, account: str) -> AcmeAccount | None:
    """The account of that id."""
    found = on.run(f"SELECT {_ACCOUNT} FROM acme_accounts WHERE id = ?", account)
    return _account(found[0]) if found else None


def acme_account_of_key(on: On, jkt: str) -> AcmeAccount | None:
    """The account of that key."""
    found = on.run(f"SELECT {_ACCOUNT} FROM acme_accounts WHERE jkt = ?", jkt)
    return _account(found[0]) if found else None


def change_acme_key(on: On, account: AcmeAccount, jkt: str, jwk: bytes) -> None:
    """Give an account another key, if it still has the one it is known with."""
    changed = on.run(
        "UPDATE acme_accounts SET jkt = ?, jwk = ? WHERE id = ? AND jkt = ?"
        " AND deactivated_at IS NULL AND NOT EXISTS (SELECT 1 FROM acme_accounts AS another"
        " WHERE another.jkt = ?) RETURNING 1",
        jkt,
        jwk,
        account.id,
        account.jkt,
        jkt,
    )
    if not changed:
        raise taken_by_another("The account or the key")


def deactivate_acme_account(on: On, account: str, now: datetime) -> bool:
    """End an account; tells whether it was not ended before."""
    return bool(
        on.run(
            "UPDATE acme_accounts SET deactivated_at = ? WHERE id = ? AND deactivated_at IS NULL"
            " RETURNING 1",
            micros(now),
            account,
        )
    )


def acme_primary(on: On, path: PathName, certificate: str) -> None:
    """Let every account of a path rest on another primary certificate (PEM) from now on."""
    on.run(
        "UPDATE acme_accounts SET certificate = ? WHERE path = ? AND deactivated_at IS NULL",
        certificate,
        str(path),
    )


def add_acme_order(on: On, order: AcmeOrder) -> None:
    """Keep a new order, and forget those of the account that ended long ago."""
    on.run(
        "DELETE FROM acme_orders WHERE account = ? AND expires_at < ?",
        order.account,
        micros(order.made_at - _FORGOTTEN_AFTER),
    )
    on.run(
        f"INSERT INTO acme_orders ({_ORDER}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        order.id,
        order.account,
        order.request,
        " ".join(order.names),
        micros(order.made_at),
        micros(order.expires_at),
        order.key,
    )


def acme_order(on: On, order: str) -> AcmeOrder | None:
    """The order of that id, locked."""
    found = on.run(f"SELECT {_ORDER} FROM acme_orders WHERE id = ?{{lock}}", order)
    return _order(found[0]) if found else None


def acme_orders_of(on: On, account: str, limit: int) -> tuple[AcmeOrder, ...]:
    """An account's orders, the newest first."""
    found = on.run(
        f"SELECT {_ORDER} FROM acme_orders WHERE account = ? ORDER BY made_at DESC, id LIMIT ?",
        account,
        limit,
    )
    return tuple(_order(one) for one in found)


def finalize_acme_order(on: On, order: str, key: str) -> None:
    """Say which public key an order was finalized with, unless it was before."""
    done = on.run(
        "UPDATE acme_orders SET key = ? WHERE id = ? AND key = '' RETURNING 1", key, order
    )
    if not done:
        raise taken_by_another("The order")


def _account(values: tuple[str, str, bytes, str, str, int, int, int | None]) -> AcmeAccount:
    account, jkt, jwk, path, certificate, made, expires, deactivated = values
    return AcmeAccount(
        account,
        jkt,
        bytes(jwk),
        PathName.parse(path),
        certificate,
        instant(made),
        instant(expires),
        maybe(deactivated),
    )


def _order(values: tuple[str, str, str, str, int, int, str]) -> AcmeOrder:
    order, account, request, names, made, expires, key = values
    return AcmeOrder(
        order,
        account,
        RequestId(request),
        tuple(names.split()),
        instant(made),
        instant(expires),
        key,
    )
