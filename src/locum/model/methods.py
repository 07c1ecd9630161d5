"""The catalogue of methods: what each authenticator is worth, with the clause it comes from.

An unknown method is worth the least (EVT-4, SP 800-63B-4 §4.1.3). Proofing of `None` is carried
over from the identity: an authenticator bound to an account is worth what the account was proofed
at, and repeats nothing.

`strength_together` applies the rule of one root: methods that rest on the same thing (a phone, a
mailbox) are one way in, so they count as their strongest member only.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from locum.model.strength import Binding, Factors, Phishing, Proofing, Strength


class FactorKind(Enum):
    """Something known, held, or inherent."""

    KNOWN = "known"
    HELD = "held"
    INHERENT = "inherent"


class Method(msgspec.Struct, frozen=True):
    """One catalogue entry: what holding this authenticator proves."""

    name: str
    kinds: frozenset[FactorKind]
    phishing: Phishing
    binding: Binding
    proofing: Proofing | None
    clause: str


class FallbackMethod(msgspec.Struct, frozen=True):
    """How a path of this method opens: what the requester presents, and what the grant yields.

    Args:
        presents: methods that the requester must present together.
        yields: the method of the credential that comes out; holding it is an alternative way in
            while the grant is open, so the path is worth the meet of both.
        exclusive: only one grant of the path may be open, because the credential is shared.
        needs_target: the declaration must name a target.
        by_primary: the requester presents the primary itself, which still works; so the identity
            opens the path, whoever announced that it will.
    """

    presents: tuple[str, ...]
    yields: str
    exclusive: bool
    needs_target: bool
    by_primary: bool = False


class Presented(msgspec.Struct, frozen=True):
    """A method together with the roots that it rests on (a device, a mailbox, a phone number)."""

    method: Method
    roots: frozenset[str] = frozenset()


_K, _H, _I = FactorKind.KNOWN, FactorKind.HELD, FactorKind.INHERENT


def _method(
    name: str,
    kinds: Iterable[FactorKind],
    phishing: Phishing,
    binding: Binding,
    clause: str,
    proofing: Proofing | None = None,
) -> Method:
    return Method(name, frozenset(kinds), phishing, binding, proofing, clause)


_T, _R, _P = Phishing.TYPED, Phishing.REPLAY_RESISTANT, Phishing.PHISHING_RESISTANT
_B, _S, _N, _A = (
    Binding.BEARER,
    Binding.SENDER_CONSTRAINED,
    Binding.NON_EXPORTABLE,
    Binding.ATTESTED_HARDWARE,
)

CATALOGUE: dict[str, Method] = {
    entry.name: entry
    for entry in (
        # people
        _method("passkey-device-bound", (_H, _I), _P, _N, "SP 800-63B-4 §3.1.7, §3.2.5"),
        _method("passkey-synced", (_H, _I), _P, _S, "SP 800-63B-4 §3.1.7, App. B"),
        _method("security-key-attested", (_H, _K), _P, _A, "SP 800-63B-4 §3.1.7, §3.2.4"),
        _method("password", (_K,), _T, _B, "SP 800-63B-4 §3.1.1"),
        _method("totp", (_H,), _T, _B, "SP 800-63B-4 §3.1.4"),
        _method("push-approval", (_H,), _T, _B, "SP 800-63B-4 §3.1.3 (OOB-1)"),
        _method("sms-code", (_H,), _T, _B, "SP 800-63B-4 §3.1.3.3, restricted (REC-14)"),
        _method("email-code", (), _T, _B, "SP 800-63B-4 §3.1.3.1 (REC-13): no authenticator"),
        _method("saved-recovery-code", (_H,), _T, _B, "SP 800-63B-4 §4.2.1.1 (REC-3, LUS-1)"),
        _method("issued-recovery-code", (_H,), _T, _B, "SP 800-63B-4 §4.2.1.2 (REC-4)"),
        _method("recovery-contact-code", (_H,), _T, _B, "SP 800-63B-4 §4.2.1.3 (REC-6)"),
        _method("repeated-proofing", (_H, _I), _P, _N, "SP 800-63B-4 §4.2.1.4 (REC-7)"),
        _method("locum-key", (_H,), _P, _S, "RFC 9449 §4.2 `htu`; SP 800-63B-4 §3.2.5"),
        # workloads and agents
        _method("x509-certificate", (_H,), _P, _S, "RFC 8705; SP 800-63B-4 §3.2.5"),
        _method("backup-certificate", (_H,), _P, _S, "RFC 8705; RFC 5280"),
        _method("acme-account", (_H,), _P, _S, "RFC 8555 §6.4 `url`; SP 800-63B-4 §3.2.5"),
        _method("spiffe-x509-svid", (_H,), _P, _S, "SPIFFE X509-SVID", Proofing.ATTESTED_WORKLOAD),
        _method("spiffe-jwt-svid", (_H,), _T, _B, "SPIFFE JWT-SVID", Proofing.ATTESTED_WORKLOAD),
        _method("oidc-workload-token", (_H,), _T, _B, "OIDC Core §2; RFC 7519"),
        _method("oauth-token", (_H,), _T, _B, "RFC 6750"),
        _method("oauth-token-dpop", (_H,), _P, _S, "RFC 9449"),
        _method("delegated-token", (_H,), _P, _S, "RFC 8693; RFC 9449"),
        _method("leased-token", (_H,), _P, _S, "RFC 9449; RFC 7662"),
        _method("api-key", (_H,), _T, _B, "OWASP NHI4, NHI7"),
        _method("ssh-key", (_H,), _P, _S, "RFC 4252 §7: signed over the session"),
        _method("vaulted-secret", (_H,), _T, _B, "OWASP NHI2, NHI7; PCI DSS 8.6.1"),
    )
}

FALLBACKS: dict[str, FallbackMethod] = {
    "vaulted-secret": FallbackMethod(("locum-key",), "vaulted-secret", True, True),
    "leased-token": FallbackMethod(("locum-key",), "leased-token", False, False),
    "backup-certificate": FallbackMethod((), "backup-certificate", False, False, by_primary=True),
}
"""Methods that go through this authority; any other method of the catalogue is worth itself."""


def method(name: str) -> Method:
    """Look a method up; an unknown one gets the weakest value (EVT-4)."""
    return CATALOGUE.get(name) or Method(
        name, frozenset(), Phishing.TYPED, Binding.BEARER, Proofing.NONE, "EVT-4: unknown method"
    )


def strength_together(presented: Iterable[Presented], carried: Proofing) -> Strength:
    """The strength of methods presented together, those of one root counted once.

    Args:
        presented: the methods, each with the roots it rests on.
        carried: the identity's own proofing, for methods that repeat none.

    Returns:
        The join, where the factor component counts different kinds over independent roots.

    Source: design §3; SP 800-63B-4 §2 (two factors of different kind).
    """
    groups = _by_shared_root(tuple(presented))
    if not groups:
        return Strength()
    counted: frozenset[FactorKind] = frozenset()
    result = Strength()
    for group in groups:
        strongest = max(
            group, key=lambda one: (len(one.method.kinds), one.method.phishing, one.method.name)
        )
        counted |= strongest.method.kinds
        for one in group:
            result = result.join(_alone(one.method, carried))
    return Strength(
        Factors(min(len(counted), Factors.TWO)), result.phishing, result.binding, result.proofing
    )


def strength_of(name: str, carried: Proofing) -> Strength:
    """The strength of one method alone, by its name."""
    return _alone(method(name), carried)


def _alone(one: Method, carried: Proofing) -> Strength:
    proofing = carried if one.proofing is None else one.proofing
    return Strength(Factors(min(len(one.kinds), Factors.TWO)), one.phishing, one.binding, proofing)


def _by_shared_root(presented: tuple[Presented, ...]) -> list[list[Presented]]:
    groups: list[tuple[set[str], list[Presented]]] = []
    for one in presented:
        touching = [group for group in groups if group[0] & one.roots]
        roots, members = set(one.roots), [one]
        for group in touching:
            roots |= group[0]
            members = group[1] + members
            groups.remove(group)
        groups.append((roots, members))
    return [members for _, members in groups]
