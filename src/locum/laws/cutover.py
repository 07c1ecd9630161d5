"""Cutover: the new primary is seen in use, so the front door is open again (law 4).

The new certificate must be another than the one that the grant was opened with, and issued after
it. An older one that is still valid shows nothing, and a backup never stands for its primary.
Source: design §2; Lemur #5348 (the old certificate is never detached after rotation).
"""

from __future__ import annotations

from datetime import datetime

from locum.model.certificate import CertificateFacts
from locum.model.refusal import Breach, Law
from locum.model.request import Grant


def replaced(
    grant: Grant, new: CertificateFacts, *, is_backup: bool, now: datetime
) -> tuple[Breach, ...]:
    """Say why a certificate does not show that the primary was replaced.

    Args:
        new: a certificate of the identity, seen in use.
        is_backup: whether Locum issued it.
    """
    old = grant.replaces
    if old is None:
        return (
            _breach(
                "The grant was not opened with a certificate, so none can replace it.",
                "Close it: `locum close GRANT`.",
            ),
        )
    if is_backup:
        return (
            _breach(
                "The certificate is a backup of Locum's own.",
                "Show the new primary certificate.",
            ),
        )
    if new.fingerprint == old.fingerprint:
        return (
            _breach(
                "The certificate is the one that is to be replaced.",
                "Call with the new primary certificate, once it is in use.",
            ),
        )
    if new.not_before <= old.not_before:
        return (
            _breach(
                f"The certificate was valid from {new.not_before.isoformat()}, which is not after "
                f"the one that is to be replaced ({old.not_before.isoformat()}).",
                "Call with the new primary certificate, not with an earlier one.",
            ),
        )
    if not new.not_before <= now < new.not_after:
        return (
            _breach(
                "The certificate is not valid now.", "Call with one that is; look at the clocks."
            ),
        )
    return ()


def _breach(fact: str, remedy: str) -> Breach:
    return Breach(Law.ONLY_WHEN_SHUT, fact, remedy, "closes", ("NHI7", "EVT-5"))
