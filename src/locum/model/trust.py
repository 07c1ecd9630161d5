"""Trust: what makes a workload's certificate or token believable, and which one is whose.

A trust bundle is declared once in the estate and named by the primaries that rest on it. The pin
(`KnownBy`) says which certificate or token of that bundle is this identity; without a pin a bundle
admits nobody (OWASP NHI6: pin issuer, audience and subject).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec


class CertificateTrust(msgspec.Struct, frozen=True, tag="certificates", tag_field="kind"):
    """A bundle of certification authorities.

    Args:
        name: its name in the estate.
        certificates: PEM of every authority that issues, the intermediate ones too.
        crl: an HTTP(S) URL of the revocation list; empty where there is none. With one, a
            certificate whose revocation cannot be decided is refused.
        spiffe: the trust domain whose X.509-SVIDs these authorities sign; empty for others.
        vouches: conditions that hold for whoever this bundle admits, e.g. `workload-attested`.
    """

    name: str
    certificates: str
    crl: str = ""
    spiffe: str = ""
    vouches: frozenset[str] = frozenset()

    @property
    def authorities(self) -> frozenset[str]:
        """Its authorities, each by the first 128 bits of its PEM text's SHA-256, hexadecimal."""
        return _authorities(self.certificates)


class TokenTrust(msgspec.Struct, frozen=True, tag="tokens", tag_field="kind"):
    """An issuer of workload tokens: OIDC (Kubernetes, a CI system), or SPIFFE JWT-SVIDs.

    Args:
        name: its name in the estate.
        issuer: the `iss` that its tokens must carry; empty for JWT-SVIDs, which need none.
        audience: the `aud` that its tokens must carry.
        jwks: the URL of its keys; empty to take it from the issuer's OIDC discovery.
        keys: its keys written out as a JWK set; empty to fetch them.
        spiffe: the trust domain whose JWT-SVIDs these keys sign; empty for others.
        vouches: conditions that hold for whoever this bundle admits.
    """

    name: str
    audience: str
    issuer: str = ""
    jwks: str = ""
    keys: Mapping[str, Any] = msgspec.field(default_factory=dict)
    spiffe: str = ""
    vouches: frozenset[str] = frozenset()


Trust = CertificateTrust | TokenTrust
CERTIFICATE_METHODS = frozenset({"x509-certificate", "spiffe-x509-svid"})
TOKEN_METHODS = frozenset({"oidc-workload-token", "spiffe-jwt-svid"})
_DOMAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_SEGMENT = _DOMAIN | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class KnownBy(msgspec.Struct, frozen=True):
    """Which certificate or token of a trust bundle is this identity.

    Args:
        trust: the bundle's name.
        subject: for a certificate its whole distinguished name (RFC 4514), for a token its `sub`.
        name: for a certificate one of its alternative names, e.g. `dns:payments.internal` or
            `uri:spiffe://example.org/payments`.
    """

    trust: str
    subject: str = ""
    name: str = ""


def trust_domain(spiffe_id: str) -> str:
    """The trust domain of a SPIFFE ID with a path; empty for anything else.

    Source: SPIFFE ID §2.1, §2.2.
    """
    scheme, _, rest = spiffe_id.partition("://")
    domain, slash, path = rest.partition("/")
    fits = (
        scheme == "spiffe"
        and slash == "/"
        and _DOMAIN.issuperset(domain)
        and all(one not in ("", ".", "..") and _SEGMENT.issuperset(one) for one in path.split("/"))
        and len(spiffe_id) <= 2048
    )
    return domain if fits else ""


@lru_cache(64)
def _authorities(pem: str) -> frozenset[str]:
    blocks = pem.split("-----BEGIN CERTIFICATE-----")[1:]
    bodies = ("".join(one.partition("-----END")[0].split()) for one in blocks)
    return frozenset(hashlib.sha256(body.encode()).hexdigest()[:32] for body in bodies)
