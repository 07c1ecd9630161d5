"""The built-in vault's envelope: bound to name and version, and to every byte of itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.issue.kek import KeyEncryptionKey
from locum.issue.vault_builtin import BuiltinVault, open_sealed, seal
from locum.model.refusal import Unavailable
from locum.model.secret import Secret
from locum.store.port import Store
from locum.store.records import Sealed

KEK = KeyEncryptionKey(bytes(range(32)))
SECRET = Secret("hunter2-and-more")


def sealed() -> Sealed:
    return seal("orders", 3, SECRET, KEK, os.urandom)


@given(st.text(min_size=1, max_size=200), st.integers(1, 2**40))
def test_what_was_sealed_opens(text: str, version: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert open_sealed(seal("orders", version, Secret(text), KEK, os.urandom), KEK) == Secret(text)


def test_an_envelope_with_any_byte_flipped_is_refused() -> None:
    whole = sealed()
    for at in range(len(whole.envelope)):
        for bit in (0x01, 0x80):
            changed = bytearray(whole.envelope)
            changed[at] ^= bit
            with pytest.raises(Unavailable) as refused:
                open_sealed(Sealed("orders", 3, bytes(changed)), KEK)
            assert SECRET.reveal() not in str(refused.value)


def test_an_envelope_cut_or_lengthened_anywhere_is_refused() -> None:
    envelope = sealed().envelope
    for length in range(len(envelope)):
        with pytest.raises(Unavailable):
            open_sealed(Sealed("orders", 3, envelope[:length]), KEK)
    for more in (b"\0", b"x" * 100, b"x" * 100_000):
        with pytest.raises(Unavailable):
            open_sealed(Sealed("orders", 3, envelope + more), KEK)


@pytest.mark.parametrize(("name", "version"), [("orders", 2), ("orders", 4), ("payments", 3)])
def test_an_envelope_does_not_stand_in_for_another(name: str, version: int) -> None:
    with pytest.raises(Unavailable, match="not what was sealed"):
        open_sealed(Sealed(name, version, sealed().envelope), KEK)


def test_an_envelope_under_another_key_says_so() -> None:
    with pytest.raises(Unavailable, match="another key-encryption key"):
        open_sealed(sealed(), KeyEncryptionKey(bytes(32)))


def test_the_store_holds_no_plaintext(store: Store, tmp_path: Path) -> None:
    BuiltinVault(store, KEK, os.urandom).write("orders", SECRET)
    kept = store.look(lambda transaction: transaction.sealed("orders"))
    assert kept is not None
    assert kept.envelope.startswith(b"locum-sealed/1\n")
    for file in tmp_path.iterdir():
        assert SECRET.reveal().encode() not in file.read_bytes()


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert sealed().envelope != sealed().envelope


def test_a_forgotten_secret_leaves_no_envelope(store: Store) -> None:
    vault = BuiltinVault(store, KEK, os.urandom)
    vault.write("orders", SECRET)
    vault.forget("orders")
    kept = store.look(lambda transaction: transaction.sealed("orders"))
    assert kept == Sealed("orders", 2, b"locum-forgotten/1\n")


def test_a_rewrap_moves_every_secret_to_the_new_key_and_may_be_run_again(store: Store) -> None:
    new = KeyEncryptionKey(os.urandom(32))
    vault = BuiltinVault(store, KEK, os.urandom)
    for name in ("a", "b", "gone"):
        vault.write(name, Secret(name))
    vault.forget("gone")
    assert vault.rewrap(["a"], new) == 1
    assert vault.rewrap(["a", "b", "gone", "never"], new) == 1
    renewed = BuiltinVault(store, new, os.urandom)
    assert [renewed.read(name) for name in ("a", "b")] == [Secret("a"), Secret("b")]
    with pytest.raises(Unavailable, match="another key"):
        vault.read("a")
