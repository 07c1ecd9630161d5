"""Pins: which certificate or token is whose, looked up in one step however large the estate is.

An identity is found by its whole pin and never by a part of it. One whose primary is several
methods together is not in here, because one certificate or token would not be its primary.
Source: OWASP NHI6 (pin issuer, audience and subject).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec
from cryptography import x509

from locum.evidence.x509 import authority_of, read_bundle, usages_of
from locum.model.estate import Estate, Identity
from locum.model.trust import CERTIFICATE_METHODS, TOKEN_METHODS, CertificateTrust, TokenTrust

K = TypeVar("K")
V = TypeVar("V")


class NotKnown(msgspec.Struct, frozen=True):
    """Nobody of the estate, or nobody for certain, was proved.

    Args:
        fact: why; it names what is declared, so it is for the ledger and not for the caller.
        remedy: what to do next.
    """

    fact: str
    remedy: str


class Issuer(msgspec.Struct, frozen=True):
    """A certification authority of a bundle."""

    trust: CertificateTrust
    certificate: x509.Certificate


class Pins(msgspec.Struct, frozen=True):
    """Every pin of one estate.

    Args:
        issuers: authorities by their subject, DER.
        certificates: identities by bundle, subject and name; what the pin leaves out is empty.
        tokens: identities by bundle and subject.
        by_issuer: bundles of tokens by the `iss` that they demand.
        by_domain: bundles of tokens by the trust domain of their JWT-SVIDs.
    """

    issuers: Mapping[bytes, tuple[Issuer, ...]]
    certificates: Mapping[tuple[str, str, str], tuple[Identity, ...]]
    tokens: Mapping[tuple[str, str], tuple[Identity, ...]]
    by_issuer: Mapping[str, tuple[TokenTrust, ...]]
    by_domain: Mapping[str, tuple[TokenTrust, ...]]


# What was worked out last, with what it was worked out from: a pure function's memory of one.
_last: tuple[Estate, Pins] | None = None


def pins_of(estate: Estate) -> Pins:
    """Give an estate's pins; worked out once, as long as the same estate is asked for.

    Raises:
        MalformedInput: a bundle cannot be read, which a checked estate has none of.
    """
    global _last
    last = _last
    if last is None or last[0] is not estate:
        last = _last = (estate, _worked_out(estate))
    return last[1]


def _worked_out(estate: Estate) -> Pins:
    bundles = tuple(one for one in estate.trust.values() if isinstance(one, CertificateTrust))
    tokens = tuple(one for one in estate.trust.values() if isinstance(one, TokenTrust))
    pinned = tuple(
        (one.primary.methods[0], one.primary.known_by, one)
        for one in estate.identities.values()
        if one.primary.known_by is not None and len(one.primary.methods) == 1
    )
    return Pins(
        _grouped(
            (certificate.subject.public_bytes(), Issuer(bundle, certificate))
            for bundle in bundles
            for certificate in read_bundle(bundle.certificates)
            if signs(certificate)
        ),
        _grouped(
            ((pin.trust, pin.subject, pin.name), one)
            for method, pin, one in pinned
            if method in CERTIFICATE_METHODS and (pin.subject or pin.name)
        ),
        _grouped(
            ((pin.trust, pin.subject), one)
            for method, pin, one in pinned
            if method in TOKEN_METHODS and pin.subject
        ),
        _grouped((one.issuer, one) for one in tokens if one.issuer),
        _grouped((one.spiffe, one) for one in tokens if one.spiffe and not one.issuer),
    )


def signs(certificate: x509.Certificate, usage: str = "keyCertSign") -> bool:
    """Whether an authority's certificate lets it sign certificates, or with `cRLSign` their lists.

    Source: RFC 5280 §4.2.1.3, §4.2.1.9.
    """
    usages = usages_of(certificate.extensions)
    return authority_of(certificate.extensions) and (usages is None or usage in usages)


def _grouped(pairs: Iterable[tuple[K, V]]) -> Mapping[K, tuple[V, ...]]:
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
