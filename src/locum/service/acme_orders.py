"""ACME orders: a backup certificate inside the announced window, and nothing outside it.

An order is for one request of the account's path that is ready and whose window is open, or for
its open grant while uses are left; with a declared schedule and no approvals the account makes the
request itself, as the identity does. Finalizing opens the path by the same verbs as any other
call, so all seven laws decide. Source: RFC 8555 §7.4, §7.6.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from locum.issue.signing_request import SigningRequest
from locum.laws.no_longer import still_valid
from locum.laws.permits import Refusal
from locum.laws.rotation_window import open_now, scheduled_window
from locum.ledger.entry import Entry
from locum.model.acme import AcmeAccount, AcmeError, AcmeOrder
from locum.model.cause import Cause
from locum.model.names import PathName
from locum.model.path import Path
from locum.model.refusal import Breach, Law, TransitionNotAllowed
from locum.model.request import Open, Ready, Requested, ask_of
from locum.service.activate import (
    NotPrepared,
    Opened,
    activate_request,
    take_credential,
)
from locum.service.ask import Asked, find_path, make_request
from locum.service.caller import Caller, Proven, admit
from locum.service.record import record, record_refusal, request_row
from locum.service.wiring import Locum
from locum.store.port import Transaction
from locum.store.records import CertificateRow, Row

_MANY = 50


class OrderNow(msgspec.Struct, frozen=True):
    """An order as it stands: ready, processing, valid or invalid."""

    order: AcmeOrder
    status: str
    certificate: CertificateRow | None = None


def make_order(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    account: AcmeAccount,
    names: tuple[str, ...],
) -> AcmeOrder | Refusal:
    """Make an order, or give the one that was made for the same.

    Args:
        names: each with its kind in front, ordered.

    Returns:
        The order; or the refusal, which is on the record.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    identity, path = find_path(estate, account.path)
    wider = tuple(sorted(set(names) - _primary_names(caller)))
    if wider:
        breach = Breach(
            Law.NO_WIDER,
            f"The primary of {identity.name} has not the name {', '.join(wider)[:200]}.",
            "Order names that the primary certificate has.",
            "identifiers",
            ("NHI5",),
        )
        return _refused(transaction, (breach,), caller, path, now)
    row = _rotation(locum, transaction, proven, caller, path, now)
    if isinstance(row, Refusal):
        return row
    request = ask_of(row.state)
    for one in transaction.acme_orders_of(account.id, _MANY):
        if one.request == request.id and one.names == names and not one.key:
            return one
    ends = row.state.grant.ends_at if isinstance(row.state, Open) else request.lapses_at
    order = AcmeOrder(locum.rng(16).hex(), account.id, request.id, names, now, ends)
    transaction.add_acme_order(order)
    _record(transaction, "acme.order-made", order, caller, path.name, now)
    return order


def _primary_names(caller: Caller) -> frozenset[str]:
    return frozenset() if caller.primary is None else caller.primary.names


def _rotation(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    caller: Caller,
    path: Path,
    now: datetime,
) -> Row | Refusal:
    """The request to order under: open with uses left, or ready and inside its window."""
    breaches: list[Breach] = []
    for state in ("open", "ready", "requested"):
        for row in transaction.requests(state=state, path=path.name, limit=_MANY).rows:
            if ask_of(row.state).cause is Cause.PLANNED_ROTATION:
                against = _against(row, caller, now)
                if not against:
                    return row
                breaches += against
    if path.rotation is not None and path.approvals is None:
        against = open_now(scheduled_window(path, now), now)
        if not against:
            asked = Asked(path.name, Cause.PLANNED_ROTATION, "the declared schedule, by ACME")
            return make_request(locum, transaction, proven, asked)
        breaches += against
    breaches = breaches or [
        _shut(
            f"No rotation of {path.name} is announced.",
            "Announce one: `locum request … --cause planned-rotation --from … --until …`.",
        )
    ]
    return _refused(transaction, tuple(breaches[:5]), caller, path, now)


def _against(row: Row, caller: Caller, now: datetime) -> tuple[Breach, ...]:
    match row.state:
        case Open() if row.state.grant.holder == caller.identity:
            return still_valid(row.state.grant, row.state.used, now)
        case Ready():
            return open_now(row.state.ask.evidence.window, now)
        case Requested():
            words = f"The request {row.state.ask.id} waits for approvals."
            return (_shut(words, "Have it approved, then order again."),)
        case _:
            return (_shut("Somebody else opened it.", "Close the grant and announce anew."),)


def _shut(fact: str, remedy: str) -> Breach:
    return Breach(Law.ONLY_WHEN_SHUT, fact, remedy, "rotation", ("NHI7",))


def _refused(
    transaction: Transaction,
    breaches: tuple[Breach, ...],
    caller: Caller,
    path: Path,
    now: datetime,
) -> Refusal:
    refusal = Refusal(breaches)
    record_refusal(transaction, refusal, str(path.name), path.name, caller, now)
    return refusal


def own_order(transaction: Transaction, account: AcmeAccount, order: str) -> AcmeOrder:
    """An account's own order.

    Raises:
        AcmeError: there is none such; another's is not told of.
    """
    found = transaction.acme_order(order)
    if found is None or found.account != account.id:
        raise AcmeError("malformed", "There is no such order of this account.", "Order anew.")
    return found


def order_now(transaction: Transaction, order: AcmeOrder, now: datetime) -> OrderNow:
    """How an order stands; it follows from what was issued for the key that finalized it."""
    row = request_row(transaction, order.request)
    if not order.key:
        alive = now < order.expires_at and isinstance(row.state, Ready | Open)
        return OrderNow(order, "ready" if alive else "invalid")
    issued = transaction.certificate_of_key(order.key)
    if issued is not None:
        return OrderNow(order, "valid", issued)
    return OrderNow(order, "processing" if isinstance(row.state, Open) else "invalid")


def finalize(
    locum: Locum,
    transaction: Transaction,
    proven: Proven,
    account: AcmeAccount,
    order: str,
    csr: SigningRequest,
    *,
    prepared: bool,
) -> Opened | NotPrepared | Refusal:
    """Open the path, or take one more use of its grant, for the key of a signing request.

    Args:
        prepared: vault, target and primary were looked at for this call.

    Returns:
        The open grant; or that something is to be looked at first; or the refusal, which is on
        the record.

    Raises:
        AcmeError: the order is not ready, or the request names other things than it.
    """
    now, found = locum.clock(), own_order(transaction, account, order)
    if order_now(transaction, found, now).status != "ready":
        raise _not_ready("The order was finalized already, or its time is over.")
    wanted = _of_order(csr, found)
    row = request_row(transaction, found.request)
    opened: Opened | NotPrepared | Refusal
    try:
        if isinstance(row.state, Open):
            opened = take_credential(locum, transaction, proven, row.state.grant.id, wanted)
        else:
            opened = activate_request(
                locum, transaction, proven, found.request, take=True, prepared=prepared, csr=wanted
            )
    except TransitionNotAllowed as error:
        raise _not_ready(error.fact) from None
    if isinstance(opened, Opened):
        caller = admit(transaction, locum.estate.now, proven, now, spend=False, workloads=True)
        transaction.finalize_acme_order(found.id, csr.ask.key)
        _record(transaction, "acme.order-finalized", found, caller, account.path, now)
    return opened


def _of_order(csr: SigningRequest, order: AcmeOrder) -> SigningRequest:
    """The signing request, if it is for exactly the names of the order.

    Clients put one of the names into the subject, as was done before RFC 6125; it is read as a
    name, and the subject is left to the primary (RFC 8555 §7.4).
    """
    ask = csr.ask
    common = ask.subject.removeprefix("CN=").lower() if ask.subject.startswith("CN=") else ""
    as_name = next((one for one in order.names if one.partition(":")[2] == common), "")
    names = ask.names | ({as_name} if as_name else set())
    if names != set(order.names):
        raise AcmeError(
            "badCSR",
            f"The signing request names {', '.join(sorted(names))[:200] or 'nothing'}; the order "
            f"names {', '.join(order.names)[:200]}.",
            "Ask for exactly the names of the order.",
        )
    return msgspec.structs.replace(
        csr, ask=msgspec.structs.replace(ask, names=names, subject="" if as_name else ask.subject)
    )


def _not_ready(fact: str) -> AcmeError:
    return AcmeError("orderNotReady", fact, "Order anew.")


def _record(
    transaction: Transaction,
    act: str,
    order: AcmeOrder,
    caller: Caller,
    path: PathName,
    at: datetime,
) -> None:
    facts: dict[str, str | int | bool | list[str]] = {
        "account": order.account,
        "request": order.request,
        "names": list(order.names),
    }
    record(
        transaction,
        Entry(
            act, at, actor=caller.identity, key=caller.jkt, subject=order.id, path=str(path),
            facts=facts,
        ),
    )  # fmt: skip
