"""The store's transaction in SQL, once for both engines: every verb, where its thing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from locum.store import sql_acme, sql_callers, sql_certificates, sql_ledger, sql_requests, sql_tasks
from locum.store.statements import Engine


class SqlTransaction:
    """One transaction's verbs; see `store.port.Transaction` for what each promises."""

    def __init__(self, engine: Engine, seal_key: bytes, now: datetime) -> None:
        self.run: Callable[..., list[Any]] = engine.run
        self.many: Callable[[str, Iterable[Sequence[Any]]], None] = engine.many
        self.seal_key, self.now = seal_key, now

    request = sql_requests.request
    request_of = sql_requests.request_of
    add_request = sql_requests.add_request
    save_request = sql_requests.save_request
    requests = sql_requests.requests
    due = sql_requests.due
    open_grants = sql_requests.open_grants
    path_facts = sql_requests.path_facts
    declare = sql_requests.declare
    declaration = sql_requests.declaration

    invite = sql_callers.invite
    redeem = sql_callers.redeem
    withdraw_invitation = sql_callers.withdraw_invitation
    add_caller = sql_callers.add_caller
    caller = sql_callers.caller
    callers_of = sql_callers.callers_of
    revoke_caller = sql_callers.revoke_caller
    claim_proof = sql_callers.claim_proof

    add_token = sql_callers.add_token
    token = sql_callers.token
    revoke_tokens = sql_callers.revoke_tokens

    add_certificate = sql_certificates.add_certificate
    certificate = sql_certificates.certificate
    certificate_of_key = sql_certificates.certificate_of_key
    certificates_of = sql_certificates.certificates_of
    revoke_certificates = sql_certificates.revoke_certificates
    revoked_certificates = sql_certificates.revoked_certificates
    revocation_mark = sql_certificates.revocation_mark

    add_acme_binding = sql_acme.add_acme_binding
    spend_acme_binding = sql_acme.spend_acme_binding
    add_acme_account = sql_acme.add_acme_account
    acme_account = sql_acme.acme_account
    acme_account_of_key = sql_acme.acme_account_of_key
    change_acme_key = sql_acme.change_acme_key
    deactivate_acme_account = sql_acme.deactivate_acme_account
    acme_primary = sql_acme.acme_primary
    add_acme_order = sql_acme.add_acme_order
    acme_order = sql_acme.acme_order
    acme_orders_of = sql_acme.acme_orders_of
    finalize_acme_order = sql_acme.finalize_acme_order

    answer = sql_tasks.answer
    remember = sql_tasks.remember
    forget_answer = sql_tasks.forget_answer
    enqueue = sql_tasks.enqueue
    take_tasks = sql_tasks.take_tasks
    finish_task = sql_tasks.finish_task
    postpone_task = sql_tasks.postpone_task
    outbox = sql_tasks.outbox
    waiting_tasks = sql_tasks.waiting_tasks
    seal = sql_tasks.seal
    sealed = sql_tasks.sealed
    forget_sealed = sql_tasks.forget_sealed
    disclose = sql_tasks.disclose
    disclosed = sql_tasks.disclosed
    prune = sql_tasks.prune
    heartbeat = sql_tasks.heartbeat

    append = sql_ledger.append
    pending = sql_ledger.pending
    integrate = sql_ledger.integrate
    ledger_size = sql_ledger.ledger_size
    pending_count = sql_ledger.pending_count
    entries = sql_ledger.entries
    tile = sql_ledger.tile
    publish = sql_ledger.publish
    checkpoint = sql_ledger.checkpoint
