"""The signed calls of ACME: one JWS form, and three kinds of key.

What is checked: flattened JSON and nothing else in it; `alg` ES256, EdDSA or RS256, and the one of
the key; `url` is this call's, built from the configured origin; exactly one of `jwk` and `kid`;
nothing critical. Source: RFC 8555 §6.2 to §6.4; RFC 7515; RFC 8725 §3.1, §3.2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk
from joserfc.errors import JoseError

from locum.model.acme import AcmeError
from locum.service.acme_accounts import AccountKey, base64url

_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("e", "n")}
T = TypeVar("T")
_MODULUS = range(256, 513)
"""Bytes of an RSA modulus that is worth reading."""

ALGORITHMS = ("ES256", "EdDSA", "RS256")
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class Jws(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JWS in the flattened form."""

    protected: str
    payload: str
    signature: str


class Header(msgspec.Struct, frozen=True):
    """A protected header."""

    alg: str
    url: str
    nonce: str = ""
    kid: str = ""
    jwk: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Key(msgspec.Struct, frozen=True):
    """A public key that may sign calls.

    Args:
        spki: SHA-256 of it as SubjectPublicKeyInfo, hexadecimal.
    """

    account: AccountKey
    public: PublicKey
    alg: str
    spki: str


class Signed(msgspec.Struct, frozen=True):
    """A JWS that was read, and not verified yet."""

    jws: Jws
    header: Header
    payload: bytes


_jws = msgspec.json.Decoder(Jws)
_header = msgspec.json.Decoder(Header)


def read_jws(body: bytes | msgspec.Raw, url: str) -> Signed:
    """Read a JWS that must be for this URL; whose it is stays open.

    Raises:
        AcmeError: it is no flattened JWS, for another URL, or of an algorithm that is not taken.
    """
    try:
        jws = _jws.decode(body)
        header = _header.decode(unbase64url(jws.protected, "protected header"))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _malformed(f"The body is no JWS as ACME has it: {error}.") from None
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise _malformed("The header has `crit` or `b64`.")
    if header.url != url:
        raise AcmeError(
            "unauthorized", "The signed `url` is not the one that was called.", f"Sign {url}."
        )
    return Signed(jws, header, unbase64url(jws.payload, "payload"))


def demand_algorithm(signed: Signed) -> None:
    """Take the three algorithms for account keys and no other.

    Raises:
        AcmeError: `none`, a MAC, or whatever else.
    """
    if signed.header.alg not in ALGORITHMS:
        raise AcmeError(
            "badSignatureAlgorithm",
            "The algorithm is not taken.",
            f"Use one of {', '.join(ALGORITHMS)}.",
        )


def key_of(public: dict[str, Any]) -> Key:
    """Read a public key: P-256, Ed25519, or RSA of 2048 to 4096 bits.

    Raises:
        AcmeError: another kind, or one with a private half.
    """
    kind = str(public.get("kty", ""))
    chosen = {name: public.get(name) for name in _MEMBERS.get(kind, ())}
    if "d" in public or not chosen or not all(isinstance(one, str) for one in chosen.values()):
        raise _bad_key()
    if kind == "RSA" and len(unbase64url(str(chosen["n"]), "key")) not in _MODULUS:
        raise _bad_key()
    try:
        read = jwk.import_key({"kty": kind, **chosen})  # type: ignore[dict-item]
        key: Any = read.public_key
        alg = _algorithm(key)
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        thumbprint = read.thumbprint()
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        raise _bad_key() from None
    exact = msgspec.json.encode({"kty": kind, **chosen}, order="deterministic")
    return Key(AccountKey(thumbprint, exact), key, alg, hashlib.sha256(spki).hexdigest())


def _algorithm(key: object) -> str:
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return "ES256"
        case ed25519.Ed25519PublicKey():
            return "EdDSA"
        case rsa.RSAPublicKey() if 2048 <= key.key_size <= 4096 and (
            65537 <= key.public_numbers().e < 1 << 64
        ):
            return "RS256"
        case _:
            raise _bad_key()


def verify(signed: Signed, key: Key) -> None:
    """Verify a signature with the one algorithm of the key.

    Raises:
        AcmeError: it does not hold.
    """
    message = f"{signed.jws.protected}.{signed.jws.payload}".encode()
    signature = unbase64url(signed.jws.signature, "signature")
    if signed.header.alg != key.alg:
        raise _unsigned()
    try:
        match key.public:
            case ec.EllipticCurvePublicKey():
                if len(signature) != 64:
                    raise _unsigned()
                pair = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
                key.public.verify(encode_dss_signature(*pair), message, ec.ECDSA(hashes.SHA256()))
            case ed25519.Ed25519PublicKey():
                key.public.verify(signature, message)
            case rsa.RSAPublicKey():
                key.public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise _unsigned() from None


def bound_kid(binding: msgspec.Raw, url: str, key: Key, secret_of: Callable[[str], bytes]) -> str:
    """Verify an external account binding, and give the name of its key (RFC 8555 §7.3.4).

    Args:
        binding: the JWS, as it stands in the call.
        secret_of: gives the binding key of a name.

    Raises:
        AcmeError: it is not made with that key, over this account key, for this URL.
    """
    inner = read_jws(binding, url)
    header = inner.header
    if header.alg != "HS256":
        raise AcmeError(
            "badSignatureAlgorithm", "The binding's algorithm is not taken.", "Use HS256."
        )
    if not header.kid or header.nonce or header.jwk is not msgspec.UNSET:
        raise _malformed("A binding's header has `alg`, `kid` and `url`.")
    message = f"{inner.jws.protected}.{inner.jws.payload}".encode()
    wanted = hmac.digest(secret_of(header.kid), message, "sha256")
    if not hmac.compare_digest(unbase64url(inner.jws.signature, "signature"), wanted):
        raise AcmeError(
            "unauthorized",
            "The external account binding does not hold: its key is unknown, spent or past its "
            "time.",
            "Mint a new one with the primary: `POST /v1/acme-keys`.",
        )
    if key_of(json_object(inner.payload)).account.jkt != key.account.jkt:
        raise _malformed("The binding is over another account key.")
    return header.kid


def json_object(payload: bytes) -> dict[str, Any]:
    """A payload that is one JSON object.

    Raises:
        AcmeError: it is something else.
    """
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise _malformed("The payload is no JSON object.") from None


def decoded(payload: bytes, kind: type[T]) -> T:
    """Read a payload as one of ACME's objects; fields that are unknown are left out (§7).

    Raises:
        AcmeError: it is something else.
    """
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _malformed(f"The payload is not as it should be: {error}.") from None


def unbase64url(text: str, what: str) -> bytes:
    """Read base64 for URLs without padding; other spellings of the same bytes are refused.

    Raises:
        AcmeError: it is not in that form.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _malformed(f"The {what} is not in base64url.") from None
    if base64url(raw) != text:
        raise _malformed(f"The {what} is not in base64url without padding.")
    return raw


def _unsigned() -> AcmeError:
    return AcmeError("unauthorized", "The signature does not hold.", "Sign with the account's key.")


def _bad_key() -> AcmeError:
    return AcmeError(
        "badPublicKey",
        "The key is of a kind that is not taken.",
        "Use P-256, Ed25519, or RSA of 2048 to 4096 bits; never send the private half.",
    )


def _malformed(fact: str) -> AcmeError:
    return AcmeError("malformed", fact, "See RFC 8555 §6.2.")
