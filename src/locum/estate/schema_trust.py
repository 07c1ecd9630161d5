"""The schema of trust bundles, and of the pin that says whose a certificate or token is."""

from __future__ import annotations

from locum.estate.schema_forms import (
    CONDITION,
    HOST,
    NAME,
    URL,
    Schema,
    fields,
    meant,
    several,
    text,
)

PEM: Schema = {
    "type": "string",
    "title": "certificates in PEM",
    "pattern": "^\\s*-----BEGIN CERTIFICATE-----",
    "maxLength": 200_000,
    "examples": ["-----BEGIN CERTIFICATE-----"],
}
_KEYS: Schema = {
    "type": "string",
    "title": "a JWK set as JSON text",
    "pattern": r"^\s*\{",
    "maxLength": 100_000,
    "examples": ['{"keys": []}'],
}
_SPIFFE = meant(HOST, "The SPIFFE trust domain that it is of.", "example.org")
_VOUCHES = several(
    CONDITION, "Conditions that hold for whoever it admits (law 7).", ["workload-attested"]
)
TRUST = fields(
    [],
    "What makes a workload's certificate (`certificates`) or token (`audience`) believable.",
    certificates=meant(PEM, "Every authority that issues, the intermediate ones too."),
    crl=meant(
        URL,
        "Their revocation list; with it, what cannot be decided is refused.",
        "https://pki.example.com/corporate.crl",
    ),
    audience=meant(text("https://locum.example.com"), "The `aud` that tokens must carry (NHI6)."),
    issuer=meant(URL, "The `iss` that tokens must carry.", "https://kubernetes.example.com"),
    jwks=meant(
        URL, "Where the issuer's keys are; else its discovery.", "https://login.example.com/keys"
    ),
    keys=meant(_KEYS, "The issuer's keys, written out."),
    spiffe=_SPIFFE,
    vouches=_VOUCHES,
)
KNOWN_BY = fields(
    ["trust"],
    "Which certificate or token of a bundle proves this primary to Locum (NHI6).",
    trust=meant(NAME, "A bundle of this estate.", "corporate-ca"),
    subject=meant(
        text("CN=payments,O=Example"),
        "A certificate's whole subject (RFC 4514), or a token's `sub`.",
    ),
    name=meant(
        text("dns:payments.internal"),
        "One of a certificate's names, with its kind: `dns:`, `uri:`, `ip:` or `email:`.",
    ),
)
