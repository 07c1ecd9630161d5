"""What an estate says of workloads must fit together: bundles, pins, rotations and their guards.

A pin that two identities share would admit one as the other (NHI9), and a bundle that holds a
private key has published it (NHI2).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cryptography import x509

from locum.estate.document import Document, Field
from locum.estate.explanation import did_you_mean
from locum.estate.parsing import duration
from locum.estate.place import problem_at
from locum.estate.problem import Problem
from locum.model.methods import FALLBACKS
from locum.model.trust import CERTIFICATE_METHODS, TOKEN_METHODS, trust_domain

_KINDS = ("dns:", "uri:", "ip:", "email:")
_CAUSES = {"planned-rotation", "drill"}
_TOKENS_ONLY = ("issuer", "jwks", "keys", "audience")


def bundles(document: Document) -> Iterator[Problem]:
    """Bundles that cannot be read, or hold what they must not."""
    for name, bundle in document.value["trust"].items():
        fault = _of_authorities(bundle) if "certificates" in bundle else _of_tokens(bundle)
        if fault:
            yield problem_at(document, ("trust", name), "trust", *fault)


def _of_tokens(bundle: Any) -> tuple[str, str] | None:
    if "audience" not in bundle:
        return (
            "The bundle is neither of certificates nor of tokens.",
            "Write `certificates` (PEM), or `issuer` and `audience`.",
        )
    if "keys" in bundle and not _is_key_set(bundle["keys"]):
        return "`keys` is no JWK set.", 'Write it as JSON text: {"keys": [...]}.'
    if "crl" in bundle:
        return "A bundle of tokens has no revocation list.", "Remove `crl`."
    if bundle.get("issuer") or (bundle.get("spiffe") and ("jwks" in bundle or "keys" in bundle)):
        return None
    return (
        "Nothing says who issues these tokens.",
        "Name the `issuer`, or for JWT-SVIDs `spiffe` with `jwks` or `keys`.",
    )


def _is_key_set(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("keys"), list)


def _of_authorities(bundle: Any) -> tuple[str, str] | None:
    odd = [field for field in _TOKENS_ONLY if field in bundle]
    if odd:
        return f"`{odd[0]}` is said of tokens.", "Declare a bundle of its own for the tokens."
    if "PRIVATE KEY" in bundle["certificates"]:
        return (
            "The bundle holds a private key, which is published with the estate.",
            "Remove it, and have that authority replaced.",
        )
    try:
        certificates = x509.load_pem_x509_certificates(bundle["certificates"].encode())
        may_sign = any(_signs(one) for one in certificates)
    except Exception as error:  # the library has many errors for what is no certificate
        said = " ".join(str(error).split())[:120]
        return f"The certificates cannot be read: {said}.", "Write them in PEM, one after another."
    if not may_sign:
        return "No certificate of the bundle is an authority's.", "Write the issuing authorities'."
    return None


def _signs(certificate: x509.Certificate) -> bool:
    return any(
        isinstance(one.value, x509.BasicConstraints) and one.value.ca
        for one in certificate.extensions
    )


def pinned(document: Document, place: Field, identity: Any) -> Iterator[Problem]:
    """A pin that names no bundle, or one of another kind, or nothing."""
    pin = identity["primary"].get("known_by")
    if pin is None:
        return
    here: Field = (*place, "primary", "known_by")
    trust = document.value["trust"]
    if identity["kind"] == "human":
        yield problem_at(
            document, here, "known-by", "A person is not known by a certificate or token here.",
            "Remove it; people sign in with a key of their own: `locum login`.",
        )  # fmt: skip
        return
    if pin["trust"] not in trust:
        yield problem_at(
            document, (*here, "trust"), "dangling-name",
            f"`{pin['trust']}` is no trust bundle of this estate.",
            did_you_mean(pin["trust"], trust) or "Declare it under `trust`.",
        )  # fmt: skip
        return
    fault = _fault_of_pin(pin, trust[pin["trust"]], identity["primary"]["method"])
    if fault:
        yield problem_at(document, here, "known-by", *fault)


def _fault_of_pin(pin: Any, bundle: Any, method: Any) -> tuple[str, str] | None:
    wanted = CERTIFICATE_METHODS if "certificates" in bundle else TOKEN_METHODS
    name = pin.get("name", "")
    if not isinstance(method, str) or method not in wanted:
        return (
            f"The method `{method}` is not proved by the bundle `{pin['trust']}`.",
            f"Its primary is one of {', '.join(sorted(wanted))}; or name another bundle.",
        )
    if not pin.get("subject") and (not name or wanted is TOKEN_METHODS):
        return (
            "The pin names nobody, so the whole bundle would be this identity.",
            "Say which: `subject`, or for a certificate `name: dns:payments.internal`.",
        )
    if name and not name.startswith(_KINDS):
        return "The name has no kind in front.", f"Begin it with one of {', '.join(_KINDS)}."
    if method.startswith("spiffe"):
        shown = name.removeprefix("uri:") if wanted is CERTIFICATE_METHODS else pin["subject"]
        if not bundle.get("spiffe") or trust_domain(shown) != bundle["spiffe"]:
            return (
                "The SPIFFE ID is not of the bundle's trust domain.",
                "Name one, e.g. uri:spiffe://example.org/payments, and `spiffe` in the bundle.",
            )
    return None


def pinned_once(document: Document) -> Iterator[Problem]:
    """Two identities with one pin."""
    seen: dict[tuple[str, str, str], str] = {}
    for name, identity in document.value["identities"].items():
        pin = identity["primary"].get("known_by")
        if pin is None:
            continue
        key = (pin["trust"], pin.get("subject", ""), pin.get("name", ""))
        first = seen.setdefault(key, name)
        if first != name:
            yield problem_at(
                document, ("identities", name, "primary", "known_by"), "known-by",
                f"{first} is known by the same.", "Give each identity a certificate of its own.",
            )  # fmt: skip


def rotated(document: Document, here: Field, path: Any, identity: Any) -> Iterator[Problem]:
    """A path of backup certificates that could never open, or rules of one on another path."""
    methods = [path["method"]] if isinstance(path["method"], str) else path["method"]
    backs_up = any(FALLBACKS[name].by_primary for name in methods if name in FALLBACKS)
    for guard in path.get("cutover", {}).get("guards", ()):
        if guard not in document.value["identities"]:
            yield problem_at(
                document, (*here, "cutover", "guards"), "dangling-name",
                f"`{guard}` is no identity of this estate.",
                did_you_mean(guard, document.value["identities"]) or "Declare it.",
            )  # fmt: skip
    for field in ("rotation", "cutover"):
        if field in path and not backs_up:
            yield problem_at(
                document, (*here, field), field,
                f"`{field}` is said of the method `backup-certificate` only.", "Remove it.",
            )  # fmt: skip
    if backs_up:
        yield from _backup(document, here, path, identity)


def _backup(document: Document, here: Field, path: Any, identity: Any) -> Iterator[Problem]:
    primary = identity["primary"]
    if primary["method"] not in CERTIFICATE_METHODS or "known_by" not in primary:
        yield problem_at(
            document, (*here, "method"), "method",
            "A backup certificate stands in for a certificate that Locum knows, and the primary is "
            "none.",
            "Give the primary the method x509-certificate or spiffe-x509-svid, and `known_by`.",
        )  # fmt: skip
    other = sorted(set(path["causes"]) - _CAUSES)
    if other:
        yield problem_at(
            document, (*here, "causes"), "causes",
            f"A backup certificate is not issued for {', '.join(other)}.",
            "Its cause is `planned-rotation`.",
        )  # fmt: skip
    if "rotation" in path and "window" in path["limits"]:
        every = duration(path["rotation"]["every"])
        if every <= duration(path["limits"]["window"]):
            yield problem_at(
                document, (*here, "rotation", "every"), "rotation",
                "The windows would never close.", "Set `every` above `limits.window`.",
            )  # fmt: skip
