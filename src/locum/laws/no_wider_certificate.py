"""Law 2 for certificates: the backup says no more than the primary that it stands in for.

Names are compared as they are written: a wildcard covers nothing but itself. What the primary
leaves open restricts nothing there, and so is narrowed here: a backup signs no certificates and is
for TLS only. Source: design §2; RFC 5280 §4.2.1.3, §4.2.1.6, §4.2.1.9, §4.2.1.12; NHI5.
"""

from __future__ import annotations

import msgspec

from locum.model.certificate import CertificateAsk, CertificateFacts
from locum.model.refusal import Breach, Law

CLIENT_AUTH, SERVER_AUTH = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"
_TLS = frozenset({CLIENT_AUTH, SERVER_AUTH})
_SIGNING = frozenset({"keyCertSign", "cRLSign"})
_OPEN = frozenset({"digitalSignature", "keyAgreement", "keyEncipherment"})


class Granted(msgspec.Struct, frozen=True):
    """What a backup certificate is issued with.

    Args:
        subject: RFC 4514; empty for none.
        names: with their kinds in front.
        usages: in RFC 5280's words.
        extended: dotted object identifiers.
    """

    subject: str
    names: frozenset[str]
    usages: frozenset[str]
    extended: frozenset[str]


def certificate_no_wider(ask: CertificateAsk, primary: CertificateFacts) -> tuple[Breach, ...]:
    """Say where a signing request asks for more than the primary certificate has."""
    usages, extended = _bounds(primary)
    breaches: list[Breach] = []
    if ask.authority:
        breaches.append(
            _breach(
                "The request asks for a certificate that signs others (CA:TRUE).",
                "Leave the basic constraints out.",
            )
        )
    if ask.subject and ask.subject != primary.subject:
        breaches.append(
            _breach(
                f"The request's subject is `{ask.subject}`, the primary's "
                f"`{primary.subject or 'none'}`.",
                "Leave the subject empty (`-subj /`), and it is the primary's.",
            )
        )
    for what, wanted, allowed in (
        ("name", ask.names, primary.names),
        ("key usage", ask.usages or frozenset(), usages),
        ("extended key usage", ask.extended or frozenset(), extended),
    ):
        wider = sorted(wanted - allowed)
        if wider:
            breaches.append(
                _breach(
                    f"The request has the {what} {', '.join(wider[:5])}, which the primary has "
                    "not.",
                    f"Leave each {what} out, and they are the primary's; or ask for fewer.",
                )
            )
    return tuple(breaches)


def granted(ask: CertificateAsk, primary: CertificateFacts) -> Granted:
    """What the backup says: what was asked for where it was said, else what the primary has."""
    usages, extended = _bounds(primary)
    default = usages if primary.usages is not None else frozenset({"digitalSignature"})
    return Granted(
        primary.subject,
        (ask.names or primary.names) & primary.names,
        (default if ask.usages is None else ask.usages) & usages,
        (extended if ask.extended is None else ask.extended) & extended,
    )


def _bounds(primary: CertificateFacts) -> tuple[frozenset[str], frozenset[str]]:
    return (
        (_OPEN if primary.usages is None else primary.usages) - _SIGNING,
        _TLS if primary.extended is None else primary.extended,
    )


def _breach(fact: str, remedy: str) -> Breach:
    return Breach(Law.NO_WIDER, fact, remedy, "csr", ("NHI5", "ZT-3"))
