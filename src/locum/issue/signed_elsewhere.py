"""A certificate that another authority signed is compared with what was granted, before it leaves.

An authority that is not ours may be set up wrongly, or be somebody else's. So nothing is taken on
trust: the request says no more than names and usages, and the certificate is for its key, is by the
authority's own, says nothing that was not granted, ends in time and can be seen to be revoked.
Source: RFC 5280 §4.2, RFC 9608 (`noRevAvail`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from locum.evidence.x509 import facts_of
from locum.laws.no_wider_certificate import Granted
from locum.model.refusal import MalformedInput

_ASKED = frozenset(
    {
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
    }
)
"""What a request may carry: another authority may copy everything else into the certificate."""
_SIGNED = _ASKED | {
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.FRESHEST_CRL,
}
"""What a certificate may carry; so never `noRevAvail`, which is not among them."""
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the parser raises on what it cannot read."""


class SignedElsewhere(msgspec.Struct, frozen=True):
    """A certificate that another authority signed, and that says what was granted.

    Args:
        certificate: the leaf, DER.
        serial: its serial number, lower-case hexadecimal without leading zeros.
        chain: PEM of the authority that signed it, then of those above it.
    """

    certificate: bytes
    serial: str
    chain: str


def sendable(csr_pem: str, granted: Granted) -> x509.CertificateSigningRequest:
    """Read a request that another authority will copy from.

    Raises:
        MalformedInput: it cannot be read, carries something besides names and usages, or leaves
            its names to an authority that cannot fill them in.
    """
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode("ascii"))
        carried = {one.oid for one in request.extensions}
    except _UNREADABLE:
        raise MalformedInput(
            "The certificate signing request cannot be read.", "Make one with `openssl req -new`."
        ) from None
    if strange := sorted(one.dotted_string for one in carried - _ASKED):
        raise MalformedInput(
            f"The certificate signing request carries the extensions {', '.join(strange)}.",
            "Leave out everything but names and usages: the authority in use would copy it.",
        )
    if granted.names and ExtensionOID.SUBJECT_ALTERNATIVE_NAME not in carried:
        names = ",".join(_openssl(one) for one in sorted(granted.names))
        raise MalformedInput(
            "The certificate signing request names nobody, and the authority in use cannot fill "
            "the names in.",
            f'Add them: `openssl req -new … -addext "subjectAltName={names}"`.',
        )
    return request


def faults(
    leaf: x509.Certificate,
    request: x509.CertificateSigningRequest,
    granted: Granted,
    not_after: datetime,
    issuer: x509.Certificate,
) -> tuple[str, ...]:
    """Say all that is wrong with a certificate, compared with what was granted.

    Args:
        issuer: the certificate of the authority that says that it signed `leaf`.
    """
    try:
        return (*_not_for(leaf, request, issuer), *_wider(leaf, granted, not_after), *_hidden(leaf))
    except (MalformedInput, *_UNREADABLE):
        return ("it cannot be read",)


def _not_for(
    leaf: x509.Certificate, request: x509.CertificateSigningRequest, issuer: x509.Certificate
) -> Iterator[str]:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != request.public_key().public_bytes(*form):
        yield "it is for another key"
    try:
        leaf.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        yield "the authority that it came with did not sign it"


def _wider(leaf: x509.Certificate, granted: Granted, not_after: datetime) -> Iterator[str]:
    facts = facts_of(leaf)
    if facts.authority:
        yield "it may sign others"
    if facts.subject not in ({granted.subject, ""} if granted.names else {granted.subject}):
        yield f"its subject is {facts.subject or 'empty'}"
    if more := facts.names - granted.names:
        yield f"it is also for {', '.join(sorted(more))}"
    if granted.names and not facts.names:
        yield "it is for no name"
    yield from _used_for("key usage", facts.usages, granted.usages)
    yield from _used_for("extended key usage", facts.extended, granted.extended)
    if facts.not_after > not_after:
        yield f"it ends at {facts.not_after.isoformat()}"


def _used_for(
    what: str, found: frozenset[str] | None, granted: frozenset[str] | None
) -> Iterator[str]:
    if granted is None:
        return
    if found is None:
        yield f"no {what} restricts it"
    elif more := found - granted:
        yield f"its {what} has {', '.join(sorted(more))}"


def _hidden(leaf: x509.Certificate) -> Iterator[str]:
    """What keeps a relying party from seeing that it is revoked, or is not known to us at all."""
    if strange := sorted({one.oid.dotted_string for one in leaf.extensions if _odd(one)}):
        yield f"it carries the extensions {', '.join(strange)}"
    carried = {one.oid for one in leaf.extensions}
    if ExtensionOID.CRL_DISTRIBUTION_POINTS not in carried:
        yield "it points to no revocation list"
    if ExtensionOID.AUTHORITY_INFORMATION_ACCESS not in carried or not any(
        one.access_method == AuthorityInformationAccessOID.OCSP
        for one in leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    ):
        yield "it points to no OCSP responder"


def _odd(extension: x509.Extension[x509.ExtensionType]) -> bool:
    return extension.oid not in _SIGNED


def _openssl(name: str) -> str:
    kind, _, value = name.partition(":")
    return f"{ {'dns': 'DNS', 'uri': 'URI', 'ip': 'IP'}.get(kind, kind) }:{value}".replace(" ", "")
