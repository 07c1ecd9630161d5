"""A presenter: the workload that proved itself by the certificate or token of its primary."""

from __future__ import annotations

import msgspec

from locum.model.certificate import CertificateFacts
from locum.model.names import IdentityName


class Presenter(msgspec.Struct, frozen=True):
    """What a workload proved about itself.

    Args:
        method: the method of its primary that it proved, e.g. `x509-certificate`.
        vouched: conditions that hold for it because its trust bundle says so.
        facts: its certificate; `None` where it proved itself by a token.
        certificate: the same in DER; empty likewise.
    """

    identity: IdentityName
    method: str
    vouched: frozenset[str] = frozenset()
    facts: CertificateFacts | None = None
    certificate: bytes = b""
