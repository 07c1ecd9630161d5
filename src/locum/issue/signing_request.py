"""Read certificate signing requests: possession proved, nothing hostile in them.

Nothing is signed for what cannot be said plainly: a name with a NUL, a trailing dot or signs beyond
ASCII reads differently to different verifiers, and a request may carry extensions that a careless
authority copies. Source: RFC 2986; RFC 5280 §4.1.2.6, §4.2.1.6; RFC 1035 §2.3.4; RFC 5891.
"""

from __future__ import annotations

import hashlib
import re
from ipaddress import IPv4Address, IPv6Address

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from locum.evidence.x509 import LARGEST, guarded, name_of, of_extensions
from locum.model.certificate import CertificateAsk
from locum.model.refusal import MalformedInput

_HOW = (
    "Make one: `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
    "-keyout backup.key -subj / -out backup.csr`."
)
_BEGIN = re.compile(r"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_MOST_NAMES, _MOST_ATTRIBUTES = 100, 10
_ALLOWED = {
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
}
_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"


class SigningRequest(msgspec.Struct, frozen=True):
    """A request whose holder proved possession of its key.

    Args:
        public_key: SubjectPublicKeyInfo, DER.
    """

    ask: CertificateAsk
    public_key: bytes
    pem: str


def read_signing_request(text: str) -> SigningRequest:
    """Read one signing request in PEM, at most 16 kB.

    Raises:
        MalformedInput: it is none, possession is not proved, or it holds what is never signed.
    """
    if len(text) > LARGEST:
        raise MalformedInput(f"The signing request is longer than {LARGEST} bytes.", _HOW)
    if len(_BEGIN.findall(text)) != 1:
        raise MalformedInput("`csr` does not hold one signing request in PEM.", _HOW)
    return guarded("The signing request", _HOW, lambda: _read(text))


def _read(text: str) -> SigningRequest:
    request = x509.load_pem_x509_csr(text.encode("ascii"))
    key = request.public_key()
    _demand_key(key)
    if not request.is_signature_valid:
        raise _refused(
            "The request is not signed by the key that it names, so possession is not proved.",
            "Sign it with that key.",
        )
    _demand_extensions(request)
    _demand_subject(request.subject)
    usages, extended, names, authority = of_extensions(request.extensions)
    _demand_names(request)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningRequest(
        CertificateAsk(
            request.subject.rfc4514_string(),
            names,
            usages,
            extended,
            authority,
            hashlib.sha256(spki).hexdigest(),
        ),
        spki,
        request.public_bytes(Encoding.PEM).decode(),
    )


def _demand_key(key: object) -> None:
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            return
        case ed25519.Ed25519PublicKey():
            return
        case rsa.RSAPublicKey() if 2048 <= key.key_size <= 4096:
            if key.public_numbers().e >= 65537:
                return
        case _:
            pass
    raise _refused(
        "Its key is of a kind that nothing is signed for.",
        "Use P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits.",
    )


def _demand_extensions(request: x509.CertificateSigningRequest) -> None:
    for attribute in request.attributes:
        if attribute.oid.dotted_string != _EXTENSION_REQUEST:
            raise _refused(
                f"It has the attribute {attribute.oid.dotted_string}.",
                "Leave out everything but an extension request, a challenge password too.",
            )
    for extension in request.extensions:
        if extension.oid not in _ALLOWED:
            raise _refused(
                f"It asks for the extension {extension.oid.dotted_string}.",
                "Ask for names, key usages and extended key usages only.",
            )


def _demand_subject(subject: x509.Name) -> None:
    attributes = list(subject)
    if len(attributes) > _MOST_ATTRIBUTES:
        raise _refused("Its subject has too many attributes.", "Leave it empty: `-subj /`.")
    for attribute in attributes:
        value = attribute.value
        if not isinstance(value, str) or not value.isprintable() or len(value) > 200:
            raise _refused("Its subject holds signs that do not print.", "Write plain text.")


def _demand_names(request: x509.CertificateSigningRequest) -> None:
    for extension in request.extensions:
        if not isinstance(extension.value, x509.SubjectAlternativeName):
            continue
        names = list(extension.value)
        if len(names) > _MOST_NAMES:
            raise _refused(f"It has {len(names)} names.", f"Ask for {_MOST_NAMES} at the most.")
        for name in names:
            _demand_name(name)
        if len({name_of(name) for name in names}) != len(names):
            raise _refused("It names something twice.", "Name each once.")


def _demand_name(name: x509.GeneralName) -> None:
    match name:
        case x509.DNSName():
            fact = dns_fault(name.value)
        case x509.UniformResourceIdentifier() | x509.RFC822Name():
            plain = name.value.isascii() and name.value.isprintable() and " " not in name.value
            short = 0 < len(name.value) <= 2048
            fact = "" if plain and short else "is not plain ASCII of up to 2048 signs"
        case x509.IPAddress():
            single = isinstance(name.value, IPv4Address | IPv6Address)
            fact = "" if single else "is a network, not an address"
        case _:
            fact = "is of a kind that nothing is signed for"
    if fact:
        shown = name_of(name).encode("unicode_escape").decode()[:80]
        raise _refused(f"Its name `{shown}` {fact}.", "Mend the name, or leave the names out.")


def dns_fault(name: str) -> str:
    """What is wrong with a DNS name, in words that follow it; empty where nothing is."""
    if not name.isascii() or not name.isprintable():
        return "has signs beyond printable ASCII (write an IDN as A-labels, `xn--…`)"
    if name.endswith("."):
        return "ends in a dot"
    if not 0 < len(name) <= 253:
        return "is empty or longer than 253 signs"
    labels = name.lower().split(".")
    if labels[0] == "*" and len(labels) > 2:
        labels = labels[1:]
    if any("*" in label for label in labels):
        return "has a wildcard that is not a whole leftmost label below two others"
    if not all(_LABEL.fullmatch(label) for label in labels):
        return "has a label that is empty, longer than 63 signs, or not a-z, 0-9 and `-`"
    return ""


def _refused(fact: str, remedy: str) -> MalformedInput:
    return MalformedInput(f"The signing request is refused. {fact}", remedy)
