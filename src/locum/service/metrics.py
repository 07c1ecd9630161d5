"""The metrics as Prometheus reads them; the gauges are read from the store at that moment."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import generate_latest

from locum.service.wiring import Locum
from locum.store.port import Transaction


def exposition(locum: Locum) -> bytes:
    """All metrics in Prometheus' text format, the gauges read from the store now."""
    now = locum.clock()

    def read(transaction: Transaction) -> dict[str, float]:
        tasks, oldest_task = transaction.outbox()
        entries, oldest_entry = transaction.pending_count()
        return {
            "open_grants": len(transaction.open_grants()),
            "overdue_reviews": sum(
                len(transaction.path_facts(path.name, now).overdue)
                for path in locum.estate.now.paths()
            ),
            "outbox_waiting": tasks,
            "outbox_lag_seconds": _age(oldest_task, now),
            "ledger_waiting": entries,
            "ledger_lag_seconds": _age(oldest_entry, now),
            "ledger_size": transaction.ledger_size(),
        }

    for name, value in locum.store.look(read).items():
        locum.metrics.show(name, value)
    return generate_latest(locum.metrics.registry)


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)
