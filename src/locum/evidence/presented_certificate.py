"""Whose is this certificate: the one identity whose pin it fits, in the identity's own bundle.

The rules, each of which refuses:
- The pin fits wholly: subject and alternative name exactly as declared. A SPIFFE identity's
  certificate is an X.509-SVID: its only URI is the SPIFFE ID, of the bundle's trust domain.
- It is signed directly by an authority of the bundle that this identity rests on, which is valid
  now and may sign certificates. TLS checks a chain against all bundles together; without this step
  an authority of one bundle could speak for the identities of another.
- It is valid now, no authority itself, signed with SHA-2 or an Edwards curve, for the purpose at
  hand, without a critical extension that nobody here understands, and not revoked. Where its bundle
  has a revocation list and nothing can be decided, it counts as revoked.
- Exactly one identity fits, and it is not disabled.

Source: RFC 5280 §6.1; SPIFFE X509-SVID §4, §5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from locum.evidence.pins import Issuer, NotKnown, Pins, pins_of, signs
from locum.evidence.x509 import facts_of, read_certificate
from locum.model.certificate import CertificateFacts
from locum.model.estate import Estate, Identity
from locum.model.presenter import Presenter
from locum.model.refusal import MalformedInput
from locum.model.trust import CertificateTrust, trust_domain

Purpose = Literal["client", "server"]
Revoked = Callable[[CertificateTrust, x509.Certificate], bool | None]
_NEEDED = {
    "client": ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
    "server": ExtendedKeyUsageOID.SERVER_AUTH.dotted_string,
}
_HASHES = frozenset({"sha256", "sha384", "sha512"})
_ANEW = "Have it issued anew by its authority."


def identity_of_certificate(
    certificate: bytes,
    estate: Estate,
    revoked: Revoked,
    now: datetime,
    purpose: Purpose = "client",
) -> Presenter | NotKnown:
    """Find the one identity whose primary this certificate is.

    Args:
        certificate: DER (or one PEM block). That its holder has the key is TLS's to prove.
        revoked: whether an authority of the bundle revoked it; `None` where that is undecided.
        purpose: what it was used for: to call Locum, or to serve.

    Returns:
        Who presents it, or why nobody is known by it.
    """
    try:
        leaf = read_certificate(certificate)
        facts = facts_of(leaf)
    except MalformedInput as error:
        return NotKnown(error.fact, error.remedy)
    fitting = {one.name: (one, issuer) for one, issuer in _fitting(pins_of(estate), leaf, facts)}
    if len(fitting) > 1:
        return NotKnown(
            f"The certificate fits several identities: {', '.join(sorted(fitting)[:5])}.",
            "Pin each identity to a name of its own, `known_by: {trust: …, name: …}` (NHI9).",
        )
    if not fitting:
        return NotKnown(
            f"No identity is known by a certificate of {facts.subject or 'no subject'} from "
            f"{leaf.issuer.rfc4514_string() or 'no issuer'}.",
            "Declare it, `known_by: {trust: …, subject: …, name: …}`, with its authority under "
            "`trust`.",
        )
    [(identity, issuer)] = fitting.values()
    faults = (
        *_faults_of_identity(identity, issuer, facts),
        *_faults_of_leaf(leaf, facts, now, purpose),
        *_faults_of_issuer(issuer, now),
    )
    if not faults and issuer.trust.crl:
        faults = (*_faults_of_revocation(issuer.trust, revoked(issuer.trust, leaf)),)
    if faults:
        return faults[0]
    method = identity.primary.methods[0]
    der = leaf.public_bytes(Encoding.DER)
    return Presenter(identity.name, method, issuer.trust.vouches, facts, der)


def _fitting(
    pins: Pins, leaf: x509.Certificate, facts: CertificateFacts
) -> Iterator[tuple[Identity, Issuer]]:
    """Identities whose pin fits, each with the authority of their bundle that signed."""
    for issuer in pins.issuers.get(leaf.issuer.public_bytes(), ()):
        bundle = issuer.trust.name
        pinned = [
            identity
            for subject in (facts.subject, "")
            for name in (*facts.names, "")
            for identity in pins.certificates.get((bundle, subject, name), ())
        ]
        if pinned and _signed_by(issuer.certificate, leaf):
            yield from ((identity, issuer) for identity in pinned)


def _signed_by(issuer: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _faults_of_identity(
    identity: Identity, issuer: Issuer, facts: CertificateFacts
) -> Iterator[NotKnown]:
    if identity.disabled:
        yield NotKnown(f"{identity.name} is disabled.", "Enable it in the estate if it may call.")
    if identity.primary.methods == ("spiffe-x509-svid",):
        yield from _faults_of_svid(issuer.trust, facts)


def _faults_of_svid(trust: CertificateTrust, facts: CertificateFacts) -> Iterator[NotKnown]:
    uris = [name for name in facts.names if name.startswith("uri:")]
    if len(uris) != 1:
        yield NotKnown(f"An X.509-SVID has one URI, and this has {len(uris)}.", _ANEW)
    elif not trust.spiffe or trust_domain(uris[0].removeprefix("uri:")) != trust.spiffe:
        yield NotKnown(
            f"Its SPIFFE ID is not one of the trust domain {trust.spiffe or '(none)'}.",
            "Present an SVID of that trust domain.",
        )
    if facts.usages is None or "digitalSignature" not in facts.usages:
        yield NotKnown("An X.509-SVID is for digital signatures, and this does not say so.", _ANEW)


def _faults_of_leaf(
    leaf: x509.Certificate, facts: CertificateFacts, now: datetime, purpose: Purpose
) -> Iterator[NotKnown]:
    if now < facts.not_before:
        yield NotKnown(
            f"The certificate is valid from {facts.not_before.isoformat()} only.",
            "Wait, or look at the clocks.",
        )
    if now >= facts.not_after:
        yield NotKnown(
            f"The certificate ended at {facts.not_after.isoformat()}.", "Present one in date."
        )
    if facts.authority or (facts.usages or frozenset()) & {"keyCertSign", "cRLSign"}:
        yield NotKnown("The certificate is an authority's.", "Present the leaf's own.")
    if purpose == "client" and facts.usages is not None and "digitalSignature" not in facts.usages:
        yield NotKnown("The certificate is not for digital signatures.", _ANEW)
    if facts.extended is not None and _NEEDED[purpose] not in facts.extended:
        yield NotKnown(f"The certificate's extended usages leave out {purpose}Auth.", _ANEW)
    if not _signed_strongly(leaf):
        yield NotKnown("The certificate is signed with a hash that no longer counts.", _ANEW)
    if any(
        one.critical and isinstance(one.value, x509.UnrecognizedExtension)
        for one in leaf.extensions
    ):
        yield NotKnown("The certificate has a critical extension that is not understood.", _ANEW)


def _signed_strongly(leaf: x509.Certificate) -> bool:
    try:
        used = leaf.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False
    return used is None or used.name in _HASHES  # none: Ed25519 and Ed448 bring their own


def _faults_of_issuer(issuer: Issuer, now: datetime) -> Iterator[NotKnown]:
    certificate = issuer.certificate
    if not signs(certificate):
        yield NotKnown("Its issuer is no authority.", "Mend the bundle in the estate.")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        yield NotKnown(
            f"Its authority in the bundle `{issuer.trust.name}` is not valid now.",
            "Put the authority's present certificate into the bundle.",
        )


def _faults_of_revocation(trust: CertificateTrust, said: bool | None) -> Iterator[NotKnown]:
    if said is None:
        yield NotKnown(
            f"Whether it is revoked cannot be decided: the list of `{trust.name}` is missing, past "
            "its time, or not of its issuer.",
            f"Look at {trust.crl}, and that Locum reaches it.",
        )
    elif said:
        yield NotKnown("The certificate is revoked.", "Present a new one.")
