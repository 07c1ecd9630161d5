"""Law 7, same checks.

Device, workload, network and session conditions that the primary demands are demanded of the
path, at opening and for as long as it is open. Source: design §2; ZT-6.
"""

from __future__ import annotations

from collections.abc import Sequence

from locum.model.estate import Identity
from locum.model.path import Path
from locum.model.refusal import Breach, Law


def conditions(path: Path, identity: Identity) -> frozenset[str]:
    """Everything that must hold: what the path declares and what the primary demands."""
    return path.context | identity.primary.context


def demands_as_much(path: Path, identity: Identity) -> tuple[Breach, ...]:
    """Law 7 at declaration: no condition of the primary is dropped."""
    dropped = sorted(identity.primary.context - path.context)
    if not dropped:
        return ()
    return (
        Breach(
            Law.SAME_CHECKS,
            f"The primary demands {', '.join(dropped)}; the path does not.",
            f"Add {', '.join(dropped)} to the path's `context`.",
            "context",
            ("ZT-6", "ASVS 6.3.4"),
        ),
    )


def conditions_hold(missing: Sequence[str]) -> tuple[Breach, ...]:
    """Law 7 at opening and while open.

    Args:
        missing: the conditions that no verifier found to hold.
    """
    return tuple(
        Breach(
            Law.SAME_CHECKS,
            f"The condition {condition} does not hold for the caller.",
            "Come from where it holds, or have an administrator vouch for it at invitation.",
            "context",
            ("ZT-6",),
        )
        for condition in missing
    )
