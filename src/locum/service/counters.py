"""What is counted: acts by kind and outcome, grants, reviews, lags, revocation latency."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from locum.ledger.entry import Entry


class Metrics:
    """The counters of this process; an act is counted once, when it is integrated."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._acts = Counter(
            "locum_acts", "Acts on the record.", ("act", "outcome"), registry=self.registry
        )
        self._revocation = Histogram(
            "locum_revocation_seconds",
            "From a grant's close to its credential seen dead.",
            registry=self.registry,
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30, 300, 3600),
        )
        self._gauges = {
            name: Gauge(f"locum_{name}", text, registry=self.registry)
            for name, text in (
                ("open_grants", "Grants that are open."),
                ("overdue_reviews", "Grants whose review is late."),
                ("outbox_waiting", "Tasks that wait."),
                ("outbox_lag_seconds", "Age of the oldest task."),
                ("ledger_waiting", "Entries that are not integrated yet."),
                ("ledger_lag_seconds", "Age of the oldest of them."),
                ("ledger_size", "Entries integrated."),
            )
        }

    def acted(self, entry: Entry) -> None:
        """Count an act."""
        refused = entry.act in ("refused", "activation.unavailable", "request.denied")
        self._acts.labels(entry.act, "refused" if refused else "done").inc()

    def died(self, seconds: float) -> None:
        """Count how long a credential outlived its grant's close."""
        self._revocation.observe(seconds)

    def show(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name].set(value)
