"""One form for each artefact: notes, checkpoints, receipts; and whose word counts."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from locum.ledger.errors import LedgerError, MalformedArtefact, ProofInvalid
from locum.ledger.merkle import verify_consistency, verify_inclusion
from locum.ledger.note import COSIGNATURE, Signer, VerifierKey, open_note, parse_note
from locum.ledger.receipt import Receipt, make_receipt, verify_receipt
from locum.ledger.tiles import encode_bundle, grow, hash_reader

from .test_signed import ORIGIN, MemorySource, signer

HEAD = Checkpoint(ORIGIN, 5, bytes(32))
TEXT = HEAD.encode()
LINE = signer().sign(TEXT)
WITNESS = signer("witness.example/w1", 7, COSIGNATURE)
ROOT = b"A" * 43 + b"="


@pytest.mark.parametrize(
    "size", [b"-1", b"9223372036854775808", b"0x5", b"", b" 5", b"1e3", "５".encode()]
)
def test_a_checkpoint_of_an_impossible_size_is_refused(size: bytes) -> None:
    with pytest.raises(MalformedArtefact):
        Checkpoint.parse(b"o\n%s\n%s\n" % (size, ROOT))


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_reads_and_writes_back(size: int, root: bytes) -> None:
    text = Checkpoint(ORIGIN, size, root).encode()
    assert Checkpoint.parse(text).encode() == text


@given(st.data())
def test_a_signed_checkpoint_with_any_bit_flipped_is_refused(data: st.DataObject) -> None:
    note = bytearray(sign_checkpoint(HEAD, signer()))
    note[data.draw(st.integers(0, len(note) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(LedgerError):
        open_checkpoint(bytes(note), (signer().verifier,))


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    keys = (signer().verifier, WITNESS.verifier)
    cosigned = TEXT + b"\n" + WITNESS.cosign(TEXT, 1_700_000_000)
    with pytest.raises(ProofInvalid):
        open_checkpoint(cosigned, keys)
    assert open_checkpoint(cosigned + LINE, keys) == HEAD


def test_a_checkpoint_of_another_log_is_not_ours_though_the_key_is_known() -> None:
    other = Checkpoint("other.test/ledger", 5, bytes(32)).encode()
    with pytest.raises(ProofInvalid, match=r"other\.test"):
        open_checkpoint(other + b"\n" + signer().sign(other), (signer().verifier,))


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    false = WITNESS.cosign(b"something else\n", 1_700_000_000)
    note = TEXT + b"\n" + LINE + false
    assert open_note(note, (signer().verifier,)) == TEXT
    with pytest.raises(ProofInvalid):
        open_note(note, (signer().verifier, WITNESS.verifier))


@pytest.mark.parametrize("time", [2**63, 2**64 - 1])
def test_a_cosignature_from_beyond_time_is_refused(time: int) -> None:
    with pytest.raises(ProofInvalid):
        open_note(TEXT + b"\n" + WITNESS.cosign(TEXT, time), (WITNESS.verifier,))


def test_a_cosignature_binds_its_time() -> None:
    line = WITNESS.cosign(TEXT, 1_700_000_000)
    other = WITNESS.cosign(TEXT, 1_700_000_001)
    name, key_id, blob = parse_note(TEXT + b"\n" + line).signatures[0]
    assert blob[:8] == (1_700_000_000).to_bytes(8, "big")
    assert (name, key_id) == (WITNESS.verifier.name, WITNESS.verifier.key_id)
    assert line != other


def test_two_keys_of_one_name_are_told_apart_by_their_id() -> None:
    stranger = signer(ORIGIN, 9)
    note = TEXT + b"\n" + stranger.sign(TEXT) + LINE
    assert open_note(note, (signer().verifier,)) == TEXT
    with pytest.raises(ProofInvalid):
        open_note(TEXT + b"\n" + stranger.sign(TEXT), (signer().verifier,))


def test_sixty_four_signatures_are_read_and_more_are_not() -> None:
    line = signer("stranger", 9).sign(TEXT)
    assert open_note(TEXT + b"\n" + line * 63 + LINE, (signer().verifier,)) == TEXT
    with pytest.raises(MalformedArtefact):
        open_note(TEXT + b"\n" + line * 64 + LINE, (signer().verifier,))


@pytest.mark.parametrize(
    "note",
    [
        b"",
        TEXT,
        TEXT + LINE,
        TEXT + b"\n",
        TEXT + b"\n" + LINE[:-1],
        TEXT + b"\n" + LINE + b"\n",
        TEXT + b"\n" + LINE.replace("\u2014".encode(), b"-"),
        TEXT + b"\n" + LINE.replace(b" ", b"  ", 1),
        TEXT + b"\n" + LINE.replace(b"\n", b" \n"),
        TEXT + b"\n" + LINE.replace(b"\n", b"\r\n"),
        b"\x00" + TEXT + b"\n" + LINE,
        b"\xff" + TEXT + b"\n" + LINE,
        TEXT + b"\n" + "\u2014 na+me AAAAAAA=\n".encode(),
        TEXT + b"\n" + "\u2014 name AAAA\n".encode(),
        b"x" * 70_000 + b"\n\n" + LINE,
    ],
)
def test_a_note_out_of_form_is_refused(note: bytes) -> None:
    with pytest.raises(LedgerError):
        open_note(note, (signer().verifier,))


@pytest.mark.parametrize("text", [b"nul\x00\n", b"tab\t\n", b"return\r\n", b"not utf-8 \xff\n"])
def test_a_note_of_control_characters_or_raw_bytes_is_refused_though_signed(text: bytes) -> None:
    with pytest.raises(MalformedArtefact):
        open_note(text + b"\n" + signer().sign(text), (signer().verifier,))


def test_what_is_no_hash_proves_nothing() -> None:
    with pytest.raises(ProofInvalid):
        verify_inclusion(b"short", 0, 1, [], b"short")
    with pytest.raises(ProofInvalid):
        verify_consistency(1, 1, [], b"short", b"short")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x00b", "a\u2003b"])
def test_a_key_has_a_name_without_spaces_and_plus(name: str) -> None:
    with pytest.raises(MalformedArtefact):
        signer(name)
    with pytest.raises(MalformedArtefact):
        VerifierKey.parse(str(VerifierKey(name, 1, bytes(32))))


def test_a_signer_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(signer())


@pytest.mark.parametrize("size", [1, 256, 300])
def test_a_receipt_reads_and_writes_back_and_any_flipped_bit_is_refused(size: int) -> None:
    log = MemorySource(size)
    receipt = make_receipt(size - 1, size, hash_reader(log.read), log.note)
    data = receipt.encode()
    assert Receipt.parse(data) == receipt
    for at in range(len(data)):
        spoilt = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        with pytest.raises(LedgerError):
            verify_receipt(Receipt.parse(spoilt), log.entries[-1], (signer().verifier,))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"index 0", b"index -1"),
        (b"index 0", b"index 00"),
        (b"index 0", b"index  0"),
        (b"index 0", b"0"),
        (b"@v1", b"@v2"),
        (b"index 0\n", b"index 0\nAAAA\n"),
        (b"index 0\n", b"index 0\n" + (ROOT + b"\n") * 64),
    ],
)
def test_a_receipt_out_of_form_is_refused(old: bytes, new: bytes) -> None:
    log = MemorySource(1)
    data = make_receipt(0, 1, hash_reader(log.read), log.note).encode()
    with pytest.raises(MalformedArtefact):
        Receipt.parse(data.replace(old, new, 1))


def test_an_entry_too_long_for_its_length_is_not_laid_out() -> None:
    encode_bundle([bytes(65_535)])
    with pytest.raises(MalformedArtefact):
        encode_bundle([bytes(65_536)])


def test_a_tree_does_not_grow_by_what_is_no_hash_nor_from_a_broken_edge() -> None:
    for size, leaf in ((0, b"short"), (0, bytes(33)), (-1, bytes(32)), (2**63 - 1, bytes(32))):
        with pytest.raises(MalformedArtefact):
            grow(size, lambda *_: bytes(8192), [leaf])
    for stored in (None, b"", bytes(32 * 2)):
        with pytest.raises(MalformedArtefact):
            grow(3, lambda *_, kept=stored: kept, [bytes(32)])


def test_a_tree_grows_on_from_a_tile_that_is_longer_than_its_size() -> None:
    leaves = [bytes([number]) * 32 for number in range(5)]
    longer = b"".join(leaves[:3]) + bytes(64)
    whole = grow(0, lambda *_: None, leaves)
    assert grow(3, lambda *_: longer, leaves[3:]) == whole


def test_a_signer_signs_under_the_name_of_its_verifier() -> None:
    assert isinstance(signer(), Signer)
    assert signer().verifier.name == ORIGIN
