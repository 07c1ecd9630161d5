"""Keys and revocation lists of trust bundles: fetched, kept for a while, and never guessed.

A key set is fresh for five minutes, and is used for up to an hour while its source is away. A
revocation list is used until its own end. What cannot be decided is `None`, which refuses.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from cryptography import x509
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from locum.evidence.fetch import Answered, fetch
from locum.evidence.pins import signs
from locum.evidence.x509 import guarded, read_bundle
from locum.model.refusal import LocumError, MalformedInput, Unavailable
from locum.model.trust import CertificateTrust, TokenTrust

FRESH, LATEST, AGAIN = timedelta(minutes=5), timedelta(hours=1), timedelta(seconds=30)
LARGEST_LIST = 32 * 1024 * 1024
T = TypeVar("T")


class _Discovered(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _Got:
    """What was fetched last for one bundle, and when it was last tried."""

    def __init__(self) -> None:
        self.value: Any = None
        self.at: datetime | None = None
        self.tried: datetime | None = None
        self.lock = threading.Lock()


class TrustSources:
    """Fetch and keep what trust bundles point to.

    Args:
        clock: gives aware UTC.
        get: fetches a URL, at most so many bytes.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        get: Callable[[str, int], bytes] | None = None,
    ) -> None:
        self._clock, self._get = clock, get or _fetched
        self._kept: dict[CertificateTrust | str, _Got] = {}
        self._turn = threading.Lock()

    def keys(self, trust: TokenTrust, *, anew: bool = False) -> KeySet:
        """The keys of an issuer of tokens.

        Args:
            anew: the kept ones lack a key; fetch again, but not more often than each 30 s.

        Raises:
            Unavailable: they cannot be had.
        """
        if trust.keys:
            return _key_set(msgspec.json.encode(trust.keys))
        got = self._of(f"{trust.name} {trust.issuer} {trust.jwks}")
        with got.lock:
            now = self._clock()
            age = None if got.at is None else now - got.at
            due = anew or age is None or not timedelta(0) <= age < FRESH
            if due and _may_try(got, now):
                got.tried = now
                try:
                    got.value, got.at = self._fetch_keys(trust), now
                except LocumError:
                    if age is None or age >= LATEST:
                        got.value = None
            if got.value is None:
                raise Unavailable(
                    f"The keys of `{trust.name}` cannot be had.",
                    "Look at its issuer, and that Locum reaches it.",
                )
            found: KeySet = got.value
            return found

    def revoked(self, trust: CertificateTrust, certificate: x509.Certificate) -> bool | None:
        """Whether an authority of the bundle revoked a certificate; `None` where undecided."""
        listed = self._list(trust)
        if listed is None or listed.issuer != certificate.issuer:
            return None
        return (
            listed.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
        )

    def serial_revoked(self, trust: CertificateTrust, serial: str) -> bool:
        """Whether a certificate that was admitted before is known to be revoked by now."""
        listed = self._list(trust) if trust.crl else None
        if listed is None:
            return False
        return listed.get_revoked_certificate_by_serial_number(int(serial, 16)) is not None

    def _list(self, trust: CertificateTrust) -> x509.CertificateRevocationList | None:
        got = self._of(trust)
        with got.lock:
            now = self._clock()
            kept: x509.CertificateRevocationList | None = got.value
            if (kept is None or _half_over(kept, now)) and _may_try(got, now):
                got.tried = now
                with contextlib.suppress(LocumError):
                    got.value = kept = _read_list(trust, self._get(trust.crl, LARGEST_LIST))
            ends = None if kept is None else kept.next_update_utc
            return kept if ends is not None and now < ends else None

    def _of(self, key: CertificateTrust | str) -> _Got:
        with self._turn:
            return self._kept.setdefault(key, _Got())

    def _fetch_keys(self, trust: TokenTrust) -> KeySet:
        url = trust.jwks
        if not url:
            place = f"{trust.issuer.rstrip('/')}/.well-known/openid-configuration"
            try:
                told = msgspec.json.decode(self._get(place, 65_536), type=_Discovered)
            except msgspec.DecodeError:
                raise Unavailable("The issuer's discovery cannot be read.", "Mend it.") from None
            if told.issuer != trust.issuer:
                raise Unavailable("The discovery names another issuer.", "Mend `issuer`.")
            url = told.jwks_uri
        return _key_set(self._get(url, 1_048_576))


def _may_try(got: _Got, now: datetime) -> bool:
    return got.tried is None or not timedelta(0) <= now - got.tried < AGAIN


def _half_over(listed: x509.CertificateRevocationList, now: datetime) -> bool:
    begins, ends = listed.last_update_utc, listed.next_update_utc
    return ends is None or now >= begins + (ends - begins) / 2


def _read_list(trust: CertificateTrust, raw: bytes) -> x509.CertificateRevocationList:
    """Read a list that an authority of the bundle signed. Raises `MalformedInput`."""

    def read() -> x509.CertificateRevocationList:
        if raw.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_crl(raw)
        return x509.load_der_x509_crl(raw)

    found = guarded("The revocation list", "Mend `crl` of the bundle.", read)
    for authority in read_bundle(trust.certificates):
        key: Any = authority.public_key()
        if (
            authority.subject == found.issuer
            and signs(authority, "cRLSign")
            and guarded("The list", "Mend it.", lambda key=key: found.is_signature_valid(key))  # type: ignore[misc]
        ):
            return found
    raise MalformedInput("No authority of the bundle signed the list.", "Mend `crl`.")


def _key_set(raw: bytes) -> KeySet:
    try:
        document = msgspec.json.decode(raw, type=dict[str, Any])
        # A SPIFFE bundle has X.509 authorities beside the keys of tokens.
        keys = [one for one in document["keys"] if one.get("use") != "x509-svid"]
        for one in keys:
            if one.get("use") == "jwt-svid":
                one.pop("use")
        return KeySet.import_key_set({"keys": keys})
    except (msgspec.DecodeError, JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise Unavailable("The key set cannot be read.", "Mend it: RFC 7517.") from None


def _fetched(url: str, most: int) -> bytes:
    answer = fetch("GET", url, most=most)
    if not isinstance(answer, Answered) or answer.status != 200:
        raise Unavailable("The address does not answer with what is asked for.", "Look at it.")
    return answer.body
