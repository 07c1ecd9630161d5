"""Build certificate revocation lists: complete, a part, or what changed. Source: RFC 5280 §5."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from locum.issue.authority import IssuingAuthority

REASONS: dict[str, x509.ReasonFlags] = {
    "superseded": x509.ReasonFlags.superseded,
    "cessationOfOperation": x509.ReasonFlags.cessation_of_operation,
    "keyCompromise": x509.ReasonFlags.key_compromise,
    "affiliationChanged": x509.ReasonFlags.affiliation_changed,
}


class Revoked(msgspec.Struct, frozen=True):
    """One entry: when, and why in RFC 5280's words; an unknown reason is left out."""

    serial: int
    at: datetime
    reason: str


def build_crl(
    authority: IssuingAuthority,
    revoked: Sequence[Revoked],
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    partition_url: str | None = None,
    base: int | None = None,
    freshest_url: str | None = None,
) -> bytes:
    """Build and sign a list.

    Args:
        number: its CRL number; grows from list to list.
        partition_url: where this part of the list is found; `None` for a complete one.
        base: for a list of changes, the number of the list that it is to be read with.
        freshest_url: where the list of changes to this one is found.

    Returns:
        The list, DER.
    """
    # The builder's `add_revoked_certificate` copies its whole list at each call, which for
    # 100,000 entries takes hours; its constructor takes them all at once.
    builder = x509.CertificateRevocationListBuilder(
        authority.certificate.subject,
        this_update.replace(tzinfo=None),
        next_update.replace(tzinfo=None),
        [],
        [_entry(one) for one in revoked],
    ).add_extension(x509.CRLNumber(number), critical=False)
    for extension in authority.certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                extension.value
            )
            builder = builder.add_extension(identifier, critical=False)
    if partition_url is not None:
        place = [x509.UniformResourceIdentifier(partition_url)]
        point = x509.IssuingDistributionPoint(place, None, False, False, None, False, False)
        builder = builder.add_extension(point, critical=True)
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    if freshest_url is not None:
        place = [x509.UniformResourceIdentifier(freshest_url)]
        fresh = x509.FreshestCRL([x509.DistributionPoint(place, None, None, None)])
        builder = builder.add_extension(fresh, critical=False)
    return builder.sign(authority.key, authority.hash).public_bytes(Encoding.DER)


def _entry(one: Revoked) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(one.serial)
        .revocation_date(one.at.replace(microsecond=0))
    )
    if one.reason in REASONS:
        builder = builder.add_extension(x509.CRLReason(REASONS[one.reason]), critical=False)
    return builder.build()
