"""Law 1 for an ACME account: where it may stand in for the primary.

The requester of a backup certificate presents the primary itself. An account key that the primary
bound may be presented in its place only where it is worth as much: RFC 8555 §6.4 names the server
in what is signed (`url`), so it resists phishing as a certificate does; but nothing attests where
the key lies, so it is worth no more than its identity was proofed at. A waiver does not help: it
accepts a path, not another way to ask for it.
"""

from __future__ import annotations

from locum.laws.no_weaker import primary_strength
from locum.model.acme import METHOD
from locum.model.estate import Identity
from locum.model.methods import strength_of
from locum.model.refusal import Breach, Law


def stands_in(identity: Identity) -> tuple[Breach, ...]:
    """Say where an ACME account is weaker than the primary of this identity."""
    lacking = strength_of(METHOD, identity.proofing).shortfall(primary_strength(identity))
    if not lacking:
        return ()
    return (
        Breach(
            Law.NO_WEAKER,
            f"An ACME account is weaker than the primary of {identity.name} "
            f"({', '.join(lacking)}).",
            "Fetch the backup with the primary itself: `locum rotate`, or `POST "
            "/v1/requests/{id}/activate` over mTLS.",
            "method",
            ("EVT-4", "NHI4", "ZT-3"),
        ),
    )
