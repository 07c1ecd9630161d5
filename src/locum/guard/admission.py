"""Who may come in: a certificate, in its time, and if it is a backup, one known not to be revoked.

The TLS server has verified the chain before; here is decided what it cannot know or decided too
long ago, on a connection that stays open or a session that was resumed.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

import msgspec

from locum.guard.certificate import Certificate
from locum.guard.revocations import RevokedSerials, Standing
from locum.model.refusal import MalformedInput


class Refused(msgspec.Struct, frozen=True):
    """Why somebody may not come in, and what to do next."""

    fact: str
    remedy: str


def admit(der: bytes, revocations: RevokedSerials, now: datetime) -> Certificate | Refused:
    """Decide on the client certificate of a connection.

    Args:
        der: the certificate that the TLS server verified; empty where none was presented.
    """
    if not der:
        return Refused("No client certificate was presented.", "Connect with one.")
    try:
        found = revocations.issuer.read(der)
    except MalformedInput as error:
        return Refused(error.fact, error.remedy)
    if not found.not_before <= now < found.not_after:
        return Refused(
            f"The client certificate is valid from {found.not_before:%Y-%m-%dT%H:%M:%SZ} "
            f"until {found.not_after:%Y-%m-%dT%H:%M:%SZ}.",
            "Connect with one that is valid now.",
        )
    if not found.backup:
        return found
    match revocations.standing(found.serial, now):
        case Standing.GOOD:
            return found
        case Standing.REVOKED:
            return Refused(
                "This backup certificate is revoked.", "Connect with the primary certificate."
            )
        case Standing.UNKNOWN:
            return Refused(
                "Locum was not heard of late, so it is not known whether this backup certificate "
                "is revoked.",
                "Try again, or connect with the primary certificate.",
            )
        case _ as never:
            assert_never(never)
