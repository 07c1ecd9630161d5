"""What a certificate, or a request for one, says: the facts that laws compare.

A name is written with its kind in front: `dns:payments.internal`, `uri:spiffe://example.org/pay`,
`ip:10.0.0.7`, `email:pay@example.com`. Source: RFC 5280 §4.1.2.6, §4.2.1.3, §4.2.1.6, §4.2.1.12.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class CertificateFacts(msgspec.Struct, frozen=True):
    """An X.509 certificate as the laws see it.

    Args:
        subject: its distinguished name as RFC 4514 writes it; empty where it has none.
        names: subject alternative names, each with its kind in front.
        usages: key usages in RFC 5280's words, e.g. `digitalSignature`; `None` where the
            extension is absent, which restricts nothing.
        extended: extended key usages as dotted object identifiers; `None` likewise.
        authority: whether it may sign certificates (basic constraints, `cA`).
        fingerprint: SHA-256 of the whole certificate, 64 lower-case hexadecimal digits.
        serial: its serial number, lower-case hexadecimal without leading zeros.
    """

    subject: str
    names: frozenset[str]
    usages: frozenset[str] | None
    extended: frozenset[str] | None
    authority: bool
    not_before: datetime
    not_after: datetime
    fingerprint: str
    serial: str


class CertificateAsk(msgspec.Struct, frozen=True):
    """What a certificate signing request asks for, by the same words.

    Args:
        subject: empty where it leaves the subject to the authority.
        names: empty where it leaves them to the authority.
        usages: `None` where it leaves them to the authority.
        extended: `None` likewise.
        authority: whether it asks for a certificate that may sign others.
        key: SHA-256 of the public key (SubjectPublicKeyInfo), 64 lower-case hexadecimal digits.
    """

    subject: str
    names: frozenset[str]
    usages: frozenset[str] | None
    extended: frozenset[str] | None
    authority: bool
    key: str
