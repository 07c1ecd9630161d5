"""Notes, checkpoints, receipts, and the replay of a whole ledger."""

import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from locum.ledger.anchor import FileAnchor
from locum.ledger.checkpoint import Checkpoint, may_sign, open_checkpoint, sign_checkpoint
from locum.ledger.errors import (
    AnchorConflict,
    Fork,
    LedgerError,
    MalformedArtefact,
    ProofInvalid,
    Tampered,
)
from locum.ledger.folder import FolderSource, export
from locum.ledger.merkle import leaf_hash
from locum.ledger.note import COSIGNATURE, Signer, VerifierKey, open_note
from locum.ledger.receipt import Receipt, make_receipt, verify_receipt
from locum.ledger.tiles import TileName, encode_bundle, grow, hash_reader, tree_root
from locum.ledger.verification import verify_log

ORIGIN = "locum.test/ledger"


def signer(name: str = ORIGIN, seed: int = 1, kind: int = 1) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), kind)


class MemorySource:
    """A ledger held in memory, as a server would publish it."""

    def __init__(self, size: int) -> None:
        self.entries = [b'{"entry":%d}' % number for number in range(size)]
        self.tiles = dict(grow(0, lambda *_: None, [leaf_hash(one) for one in self.entries]).tiles)
        self.size = size
        self.note = sign_checkpoint(Checkpoint(ORIGIN, size, tree_root(size, self.read)), signer())

    def read(self, level: int, number: int) -> bytes | None:
        return self.tiles.get((level, number))

    def checkpoint(self) -> bytes:
        return self.note

    def tile(self, name: TileName) -> bytes | None:
        if name.level is None:
            first = name.number * 256
            return encode_bundle(self.entries[first : first + name.width])
        data = self.read(name.level, name.number)
        return None if data is None else data[: name.width * 32]


def test_the_example_of_the_signed_note_specification_opens() -> None:
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUg"
        "YN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()
    assert open_note(note, (key,)).endswith(b"problem is.\n")
    with pytest.raises(ProofInvalid):
        open_note(note.replace(b"think", b"thing"), (key,))


def test_a_note_opens_by_any_known_signature_among_many() -> None:
    text = Checkpoint(ORIGIN, 5, bytes(32)).encode()
    lines = [signer(f"other{number}", number + 2).sign(text) for number in range(15)]
    note = text + b"\n" + b"".join(lines) + signer().sign(text)
    assert open_checkpoint(note, (signer().verifier,)).size == 5
    with pytest.raises(ProofInvalid):
        open_checkpoint(note, (signer("stranger", 99).verifier,))


def test_a_cosignature_is_checked_with_its_time() -> None:
    witness = signer("witness", 7, COSIGNATURE)
    text = Checkpoint(ORIGIN, 5, bytes(32)).encode()
    note = text + b"\n" + signer().sign(text) + witness.cosign(text, 1_700_000_000)
    assert open_note(note, (witness.verifier,)) == text
    with pytest.raises(ProofInvalid):
        open_note(text + b"\n" + witness.sign(text), (witness.verifier,))


@pytest.mark.parametrize(
    "text",
    [
        b"o\n05\n" + b"A" * 43 + b"=\n",
        b"o\n+5\n" + b"A" * 43 + b"=\n",
        b"o\n5_0\n" + b"A" * 43 + b"=\n",
        b"o\n5\n" + b"A" * 43 + b"=\nextension\n",
        b"o\n5\nAAAA\n",
        b"\n5\n" + b"A" * 43 + b"=\n",
        b"o\n5\n" + b"A" * 43 + b"=",
    ],
)
def test_a_checkpoint_out_of_form_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedArtefact):
        Checkpoint.parse(text)


def test_a_verifier_key_with_a_false_id_is_refused() -> None:
    text = str(signer().verifier)
    assert VerifierKey.parse(text) == signer().verifier
    name, key_id, rest = text.split("+", 2)
    with pytest.raises(MalformedArtefact):
        VerifierKey.parse(f"{name}+{'0' * len(key_id)}+{rest}")


def test_a_signer_does_not_show_its_key() -> None:
    assert repr(signer()) == f"Signer({ORIGIN})"


def test_a_receipt_proves_one_entry_offline() -> None:
    log = MemorySource(300)
    receipt = make_receipt(123, 300, hash_reader(log.read), log.note)
    again = Receipt.parse(receipt.encode())
    assert verify_receipt(again, log.entries[123], (signer().verifier,)).size == 300
    with pytest.raises(ProofInvalid):
        verify_receipt(again, log.entries[124], (signer().verifier,))
    with pytest.raises(MalformedArtefact):
        Receipt.parse(receipt.encode().replace(b"index 123", b"index 0123"))


@pytest.mark.parametrize("size", [0, 1, 256, 700])
def test_an_honest_ledger_verifies(size: int) -> None:
    seen: list[int] = []
    report = verify_log(
        MemorySource(size), (signer().verifier,), visit=lambda index, _: seen.append(index)
    )
    assert report.entries == size
    assert seen == list(range(size))


def test_a_flipped_byte_in_any_file_of_an_export_is_found_and_named(tmp_path: Path) -> None:
    log, chance = MemorySource(600), random.Random(5)
    key = signer().verifier
    assert export(log, tmp_path, key) == 600
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) > 6
    for file in files:
        honest = file.read_bytes()
        places = {0, len(honest) - 1, *(chance.randrange(len(honest)) for _ in range(12))}
        for place in places:
            altered = bytearray(honest)
            altered[place] ^= 1 << chance.randrange(8)
            file.write_bytes(altered)
            name = str(file.relative_to(tmp_path))
            with pytest.raises(LedgerError) as caught:
                verify_log(FolderSource(tmp_path), (FolderSource(tmp_path).verifier_key(),))
            error = caught.value
            if name.startswith("tile/"):
                assert isinstance(error, Tampered)
                expected = ("entry ",) if "entries" in name else (name,)
                assert error.place.startswith(expected), f"{error.place} for {name}"
        file.write_bytes(honest)
    verify_log(FolderSource(tmp_path), (key,))


def test_the_first_altered_entry_is_named_by_its_number() -> None:
    log = MemorySource(600)
    log.entries[417] = b'{"entry":"other"}'
    log.entries[500] = b'{"entry":"other"}'
    with pytest.raises(Tampered) as caught:
        verify_log(log, (signer().verifier,))
    assert caught.value.place == "entry 417"


def test_a_ledger_rewritten_with_its_tiles_does_not_lead_to_the_signed_root() -> None:
    log, other = MemorySource(600), MemorySource(600)
    other.entries[3] = b"forged"
    other.tiles = dict(grow(0, lambda *_: None, [leaf_hash(one) for one in other.entries]).tiles)
    other.note = log.note
    with pytest.raises(Tampered):
        verify_log(other, (signer().verifier,))


def test_nothing_is_signed_that_does_not_extend_what_was() -> None:
    log, shorter = MemorySource(600), MemorySource(400)
    root_at = lambda size: tree_root(size, log.read)  # noqa: E731
    last = open_checkpoint(shorter.note, (signer().verifier,))
    may_sign(None, 600, root_at(600), root_at)
    may_sign(last, 600, root_at(600), root_at)
    with pytest.raises(Fork):
        may_sign(open_checkpoint(log.note, (signer().verifier,)), 400, root_at(400), root_at)
    with pytest.raises(Fork):
        may_sign(Checkpoint(ORIGIN, 400, bytes(32)), 600, root_at(600), root_at)


def test_the_anchor_is_replaced_only_by_who_saw_it_last(tmp_path: Path) -> None:
    anchor, other = FileAnchor(tmp_path / "anchor"), FileAnchor(tmp_path / "anchor")
    anchor.swap(None, b"one")
    with pytest.raises(AnchorConflict):
        other.swap(None, b"two")
    other.swap(b"one", b"two")
    assert anchor.load() == b"two"
    assert (tmp_path / "anchor").stat().st_mode & 0o777 == 0o600
