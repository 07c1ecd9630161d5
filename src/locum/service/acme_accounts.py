"""ACME accounts: bound by the identity's primary, and worth nothing without it.

The identity mints a binding key over mTLS with its primary. A new account that shows the key
stands from then on for one path of that identity, and rests on that primary: at every act it is
looked at anew whether the certificate is still believed, so an account dies with it. The key
itself is kept nowhere; it follows from its name and a secret of the server. Source: RFC 8555
§7.3.4.
"""

from __future__ import annotations

import base64
import ssl
from datetime import datetime, timedelta

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from locum.laws.no_longer import not_ended
from locum.laws.no_one_alone import opened_by_identity
from locum.laws.permits import Refusal
from locum.laws.standing_in import stands_in
from locum.ledger.entry import Entry
from locum.model.acme import AcmeAccount, AcmeBinding, AcmeError
from locum.model.names import PathName
from locum.model.refusal import MalformedInput, Unauthenticated, Unavailable
from locum.model.secret import Secret
from locum.service.ask import find_path
from locum.service.caller import Proven, admit, demand_own
from locum.service.presenters import presented
from locum.service.record import record, record_refusal
from locum.service.wiring import Locum
from locum.store.port import Transaction

BINDING_LIFE = timedelta(minutes=10)
KEY_BYTES = 32


class Minted(msgspec.Struct, frozen=True):
    """A binding key, to be handed out once."""

    kid: str
    key: Secret
    expires_at: datetime


class AccountKey(msgspec.Struct, frozen=True):
    """A public key that signed, by its thumbprint and as canonical JSON."""

    jkt: str
    jwk: bytes


def subkey(locum: Locum, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose of ACME.

    Raises:
        Unavailable: this Locum was put together without the secret.
    """
    if not locum.acme_key.reveal():
        raise Unavailable("ACME is not set up.", "Start Locum with `locum serve`.")
    return HKDF(
        hashes.SHA256(), KEY_BYTES, salt=None, info=f"locum/1 acme {purpose}".encode()
    ).derive(bytes.fromhex(locum.acme_key.reveal()))


def binding_key(locum: Locum, kid: str) -> bytes:
    """The binding key of that name; the store says whether it was ever minted."""
    return subkey(locum, f"binding {kid}")


def mint(
    locum: Locum, transaction: Transaction, proven: Proven, certificate: bytes, name: PathName
) -> Minted | Refusal:
    """Mint a binding key for one path of the calling identity.

    Args:
        certificate: the primary that the call came with, DER; accounts of the path rest on it
            from now on.

    Raises:
        MalformedInput: no certificate, or the path yields none.
        NotFound: no such path, or another identity's.
    """
    now, estate = locum.clock(), locum.estate.now
    caller = admit(transaction, estate, proven, now, spend=True, workloads=True)
    demand_own(caller, name)
    identity, path = find_path(estate, name)
    if not opened_by_identity(path):
        raise MalformedInput(
            f"{name} yields no certificate.", "Name a path of the method backup-certificate."
        )
    if caller.primary is None or not certificate:
        raise MalformedInput(
            "An ACME account rests on a certificate.",
            f"Have {name.identity} call over mTLS with its primary.",
        )
    breaches = (*stands_in(identity), *not_ended(path, now))
    if breaches:
        refusal = Refusal(breaches)
        record_refusal(transaction, refusal, str(name), name, caller, now)
        return refusal
    kid, ends = _word(locum, 16), now + BINDING_LIFE
    pem = ssl.DER_cert_to_PEM_cert(certificate)
    transaction.add_acme_binding(AcmeBinding(kid, name, pem, ends), now)
    transaction.acme_primary(name, pem)
    facts = {"kid": kid, "ends": ends.isoformat(), "primary": caller.primary.fingerprint}
    record(
        transaction,
        Entry(
            "acme.key-minted", now, actor=caller.identity, key=caller.jkt, path=str(name),
            subject=str(name), facts=facts,
        ),
    )  # fmt: skip
    return Minted(kid, Secret(base64url(binding_key(locum, kid))), ends)


def make_account(
    locum: Locum, transaction: Transaction, key: AccountKey, kid: str, source: str
) -> AcmeAccount:
    """Make an account for the path that a binding key was minted for; spends the key.

    Args:
        kid: the binding key's name, whose possession was proved.

    Raises:
        AcmeError: the binding key is unknown, spent or past its time.
        Conflict: the account key has an account already.
    """
    now, estate = locum.clock(), locum.estate.now
    bound = transaction.spend_acme_binding(kid, now)
    if bound is None:
        raise unbound()
    identity, path = find_path(estate, bound.path)
    breaches = (*stands_in(identity), *not_ended(path, now))
    if breaches:
        raise AcmeError("unauthorized", breaches[0].fact, breaches[0].remedy)
    account = AcmeAccount(
        _word(locum, 12), key.jkt, key.jwk, bound.path, bound.certificate, now, path.until
    )
    transaction.add_acme_account(account)
    _record(transaction, "acme.account-made", account, now, {"kid": kid, "source": source})
    return account


def standing(locum: Locum, account: AcmeAccount, source: str) -> Proven:
    """What an account's holder proved: the primary that it rests on, if that still counts.

    Raises:
        Unauthenticated: the account ended, its primary is no longer believed, or an account is
            weaker than what the estate now declares.
    """
    now, estate = locum.clock(), locum.estate.now
    demand_active(account, now)
    presenter = presented(locum, account.certificate.encode(), now, "client")
    if presenter.identity != account.path.identity:
        raise _ended(f"Its certificate is no longer one of {account.path.identity}.")
    weaker = stands_in(estate.identities[presenter.identity])
    if weaker:
        raise _ended(weaker[0].fact)
    return Proven(f"acme:{account.jkt}", "", source, presenter)


def demand_active(account: AcmeAccount, now: datetime) -> None:
    """Take an account that did not end.

    Raises:
        Unauthenticated: it was deactivated, or its path's time is over.
    """
    if account.deactivated_at is not None:
        raise _ended("It was deactivated.")
    if now >= account.expires_at:
        raise _ended(f"Its path ended at {account.expires_at.isoformat()}.")


def deactivate(locum: Locum, transaction: Transaction, account: AcmeAccount) -> None:
    """End an account, for good."""
    now = locum.clock()
    if transaction.deactivate_acme_account(account.id, now):
        _record(transaction, "acme.account-deactivated", account, now, {})


def change_key(
    locum: Locum, transaction: Transaction, account: AcmeAccount, key: AccountKey
) -> None:
    """Give an account another key (RFC 8555 §7.3.5).

    Raises:
        Conflict: the account has another key by now, or the new key an account.
    """
    transaction.change_acme_key(account, key.jkt, key.jwk)
    _record(transaction, "acme.key-changed", account, locum.clock(), {"to": key.jkt})


def unbound() -> AcmeError:
    """The one answer to a binding that does not hold, whatever failed."""
    return AcmeError(
        "unauthorized",
        "The external account binding does not hold: its key is unknown, spent or past its time.",
        "Mint a new one with the primary: `POST /v1/acme-keys`.",
    )


def base64url(data: bytes) -> str:
    """Base64 for URLs, without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _ended(fact: str) -> Unauthenticated:
    return Unauthenticated(
        f"The account may no longer act. {fact}",
        "Mint a key with the primary in use, `POST /v1/acme-keys`, and make a new account.",
    )


def _word(locum: Locum, length: int) -> str:
    return locum.rng(length).hex()


def _record(
    transaction: Transaction, act: str, account: AcmeAccount, at: datetime, facts: dict[str, str]
) -> None:
    record(
        transaction,
        Entry(
            act,
            at,
            actor=account.path.identity,
            key=f"acme:{account.jkt}",
            subject=account.id,
            path=str(account.path),
            facts=dict(facts),
        ),
    )
