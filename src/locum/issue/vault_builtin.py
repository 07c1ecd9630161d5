"""The built-in vault: secrets sealed in Locum's own store by envelope encryption.

Each version of a secret is sealed with AES-256-GCM under a data key of its own, and the data key
under the key-encryption key. Both bind the name and the version as associated data, so that no
envelope can stand in for another. An envelope is, in this order and nothing after:

    locum-sealed/1 LF | id of the key-encryption key, 8 bytes | nonce, 12 | wrapped data key, 48 |
    nonce, 12 | ciphertext with tag, 17 or more

A forgotten secret leaves `locum-forgotten/1 LF` behind, so that its versions go on counting.
A thief of the store gets nothing without the key; a writer of the store can put a whole old row
back, which the ledger's record of rotations shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import TimeoutError as NotDone

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from locum.issue.kek import KEY_BYTES, KeyEncryptionKey, derive
from locum.issue.vault import LONGEST_SECRET, checked_name, checked_secret
from locum.model.refusal import NotFound, Unavailable
from locum.model.secret import Secret
from locum.store.port import Store
from locum.store.records import Sealed

_KIND = b"locum-sealed/1\n"
_FORGOTTEN = b"locum-forgotten/1\n"
_ID, _NONCE, _TAG = 8, 12, 16
_WRAPPED = KEY_BYTES + _TAG
_HEAD = len(_KIND) + _ID + _NONCE + _WRAPPED + _NONCE
_ACT_SECONDS = 5.0


class BuiltinVault:
    """A `Vault` in the store.

    Args:
        kek: the key-encryption key.
        rng: gives that many random bytes.
    """

    def __init__(self, store: Store, kek: KeyEncryptionKey, rng: Callable[[int], bytes]) -> None:
        self._store = store
        self._kek = kek
        self._rng = rng

    def read(self, name: str) -> Secret:
        """See `Vault.read`."""
        sealed = self._sealed(checked_name(name))
        if sealed is None or sealed.envelope == _FORGOTTEN:
            raise NotFound(f"The vault has no secret {name}.", "Seal one under that name.")
        return open_sealed(sealed, self._kek)

    def write(self, name: str, secret: Secret) -> int:
        """See `Vault.write`."""
        sealed = self.sealing(name, secret)
        self._keep(sealed)
        return sealed.version

    def sealing(self, name: str, secret: Secret) -> Sealed:
        """A secret's next version, to be kept by an act that does more (`Transaction.seal`)."""
        checked_secret(secret)
        was = self._sealed(checked_name(name))
        return seal(name, 1 if was is None else was.version + 1, secret, self._kek, self._rng)

    def forget(self, name: str) -> None:
        """See `Vault.forget`."""
        was = self._sealed(checked_name(name))
        if was is not None and was.envelope != _FORGOTTEN:
            self._keep(Sealed(name, was.version + 1, _FORGOTTEN))

    def ready(self) -> None:
        """See `Vault.ready`; the key is in hand, so only the store can be at fault."""
        self._store.ready()

    def rewrap(self, names: Iterable[str], new: KeyEncryptionKey) -> int:
        """Seal secrets anew under another key, each as a next version, and give how many.

        One that is under `new` already is left, so that a rewrap which was cut short is run again.
        The vault itself goes on with the key that it has; make another for the new one.

        Raises:
            Unavailable: a secret is under neither key, or does not open.
        """
        count = 0
        for name in names:
            sealed = self._sealed(checked_name(name))
            if sealed is None or sealed.envelope == _FORGOTTEN or _is_under(sealed, new):
                continue
            secret = open_sealed(sealed, self._kek)
            self._keep(seal(name, sealed.version + 1, secret, new, self._rng))
            count += 1
        return count

    def _sealed(self, name: str) -> Sealed | None:
        return self._store.look(lambda transaction: transaction.sealed(name))

    def _keep(self, sealed: Sealed) -> None:
        kept = self._store.act(lambda transaction: transaction.seal(sealed))
        try:
            kept.result(timeout=_ACT_SECONDS)
        except NotDone:
            raise Unavailable(
                f"The store did not say in time whether it kept the secret {sealed.name}.",
                "Look whether it did, and try again.",
            ) from None


def seal(
    name: str, version: int, secret: Secret, kek: KeyEncryptionKey, rng: Callable[[int], bytes]
) -> Sealed:
    """Seal a secret under a fresh data key."""
    data_key, wrap_nonce, nonce = rng(KEY_BYTES), rng(_NONCE), rng(_NONCE)
    bound = _bound(name, version)
    wrapped = AESGCM(_wrapping_key(kek)).encrypt(wrap_nonce, data_key, b"key " + bound)
    ciphertext = AESGCM(data_key).encrypt(nonce, checked_secret(secret), b"secret " + bound)
    return Sealed(name, version, _KIND + _id(kek) + wrap_nonce + wrapped + nonce + ciphertext)


def open_sealed(sealed: Sealed, kek: KeyEncryptionKey) -> Secret:
    """Open an envelope of this name and version.

    Raises:
        Unavailable: under another key, of another kind, or not what was sealed.
    """
    envelope = sealed.envelope
    if (
        not envelope.startswith(_KIND)
        or not _HEAD + _TAG < len(envelope) <= _HEAD + LONGEST_SECRET + _TAG
    ):
        raise Unavailable(
            f"The sealed secret {sealed.name} is no envelope of version 1.",
            "Restore the store from a backup, or seal the secret anew.",
        )
    if not _is_under(sealed, kek):
        raise Unavailable(
            f"The secret {sealed.name} is sealed under another key-encryption key.",
            "Start with the key that it was sealed under, or seal it anew.",
        )
    wrap_nonce, wrapped, nonce, ciphertext = _parts(envelope)
    bound = _bound(sealed.name, sealed.version)
    try:
        data_key = AESGCM(_wrapping_key(kek)).decrypt(wrap_nonce, wrapped, b"key " + bound)
        return Secret(AESGCM(data_key).decrypt(nonce, ciphertext, b"secret " + bound).decode())
    except (InvalidTag, UnicodeDecodeError):
        raise Unavailable(
            f"The sealed secret {sealed.name} is not what was sealed under this name and version.",
            "Somebody changed the store: look at the ledger, and restore it from a backup.",
        ) from None


def _parts(envelope: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    at = len(_KIND) + _ID
    return (
        envelope[at : at + _NONCE],
        envelope[at + _NONCE : at + _NONCE + _WRAPPED],
        envelope[at + _NONCE + _WRAPPED : _HEAD],
        envelope[_HEAD:],
    )


def _is_under(sealed: Sealed, kek: KeyEncryptionKey) -> bool:
    return sealed.envelope[len(_KIND) : len(_KIND) + _ID] == _id(kek)


def _id(kek: KeyEncryptionKey) -> bytes:
    return derive(kek, "vault key id")[:_ID]


def _wrapping_key(kek: KeyEncryptionKey) -> bytes:
    return derive(kek, "vault")


def _bound(name: str, version: int) -> bytes:
    return _KIND + version.to_bytes(8) + name.encode()
