"""Law 2, no wider: the grant's authority is contained in the primary's.

Proved when a path is declared and again when it opens. Source: design §2, §4; OWASP NHI5.
"""

from __future__ import annotations

from locum.laws.containment import Contained, contains
from locum.model.authority import Authority
from locum.model.estate import Identity
from locum.model.path import Path
from locum.model.refusal import Breach, Law


def granted_authority(path: Path, identity: Identity) -> Authority:
    """The authority that a grant of this path has: the declared one, or the primary's own."""
    return identity.primary.authority if path.authority is None else path.authority


def no_wider(path: Path, identity: Identity) -> tuple[Breach, ...]:
    """Say where the path's authority is not shown to lie within the primary's."""
    verdict = contains(identity.primary.authority, granted_authority(path, identity))
    if isinstance(verdict, Contained):
        return ()
    return (
        Breach(
            Law.NO_WIDER,
            f"The path is wider than its primary: {verdict.fact}.",
            "Narrow the path's `authority`, or leave it out to grant just what the primary has.",
            "authority",
            ("NHI5", "NHI8", "ZT-3"),
        ),
    )
