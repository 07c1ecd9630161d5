"""Read certificates: from bytes that anybody may have made to the facts that laws compare.

What cannot be read is refused with a reason. The library raises many kinds of error for hostile
bytes, one of them no `Exception`; all of them mean the same here. Source: RFC 5280.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from locum.model.certificate import CertificateFacts
from locum.model.refusal import MalformedInput

LARGEST = 16 * 1024
_BEGIN = "-----BEGIN CERTIFICATE-----"
USAGES = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
T = TypeVar("T")


def guarded(what: str, remedy: str, read: Callable[[], T]) -> T:
    """Call the library on bytes of others.

    Args:
        what: what is being read, e.g. `The certificate`.

    Raises:
        MalformedInput: it could not be read, for whatever reason.
    """
    try:
        return read()
    except MalformedInput:
        raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except (
        ValueError,
        TypeError,
        OverflowError,
        NotImplementedError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
        Warning,  # where the process makes errors of them
    ) as error:
        # Its words are about bytes of the caller's own, and hold no secret.
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise MalformedInput(f"{what} cannot be read: {said}.", remedy) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise MalformedInput(f"{what} cannot be read.", remedy) from None


def read_certificate(text: str | bytes) -> x509.Certificate:
    """Read one certificate, PEM or DER, at most 16 kB.

    Raises:
        MalformedInput: it is none, or more than one.
    """
    remedy = "Send one X.509 certificate in PEM (`-----BEGIN CERTIFICATE-----`)."
    if len(text) > LARGEST:
        raise MalformedInput(f"The certificate is longer than {LARGEST} bytes.", remedy)
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if raw.count(_BEGIN.encode()) > 1:
        raise MalformedInput("There is more than one certificate.", remedy)

    def read() -> x509.Certificate:
        if _BEGIN.encode() in raw:
            found = x509.load_pem_x509_certificate(raw)
        else:
            found = x509.load_der_x509_certificate(raw)
        if found.serial_number <= 0:
            raise MalformedInput("The certificate's serial number is not positive.", remedy)
        facts_of(found)
        return found

    return guarded("The certificate", remedy, read)


def read_bundle(pem: str) -> tuple[x509.Certificate, ...]:
    """Read every certificate of a bundle, PEM.

    Raises:
        MalformedInput: there is none, or one that cannot be read.
    """
    remedy = "Write the authorities' certificates in PEM, one after another."
    return guarded(
        "The bundle", remedy, lambda: tuple(x509.load_pem_x509_certificates(pem.encode()))
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the whole certificate, lower-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """What a certificate says.

    Raises:
        MalformedInput: an extension of it cannot be read.
    """
    remedy = "Present a certificate as RFC 5280 has it."
    return guarded("The certificate", remedy, lambda: _facts(certificate))


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    usages, extended, names, authority = of_extensions(certificate.extensions)
    return CertificateFacts(
        certificate.subject.rfc4514_string(),
        names,
        usages,
        extended,
        authority,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        fingerprint(certificate),
        f"{certificate.serial_number:x}",
    )


def of_extensions(
    extensions: x509.Extensions,
) -> tuple[frozenset[str] | None, frozenset[str] | None, frozenset[str], bool]:
    """Key usages, extended usages, names, and whether it is an authority."""
    usages = extended = None
    names: frozenset[str] = frozenset()
    authority = False
    for extension in extensions:
        match extension.value:
            case x509.KeyUsage():
                usages = frozenset(
                    word for field, word in USAGES.items() if getattr(extension.value, field)
                )
            case x509.ExtendedKeyUsage():
                extended = frozenset(one.dotted_string for one in extension.value)
            case x509.SubjectAlternativeName():
                names = frozenset(name_of(one) for one in extension.value)
            case x509.BasicConstraints():
                authority = extension.value.ca
            case _:
                pass
    return usages, extended, names, authority


def usages_of(extensions: x509.Extensions) -> frozenset[str] | None:
    """Key usages; `None` where the extension is absent."""
    return of_extensions(extensions)[0]


def authority_of(extensions: x509.Extensions) -> bool:
    """Whether basic constraints say that it is an authority."""
    return of_extensions(extensions)[3]


def name_of(name: x509.GeneralName) -> str:
    """An alternative name with its kind in front; of an unknown kind one that equals no other."""
    match name:
        case x509.DNSName():
            return f"dns:{name.value.lower()}"
        case x509.UniformResourceIdentifier():
            return f"uri:{name.value}"
        case x509.IPAddress():
            return f"ip:{name.value}"
        case x509.RFC822Name():
            return f"email:{name.value}"
        case _:
            return f"other:{name!r}"
