"""A restored backup that is behind its anchor goes on in a new log, and no log ever forks."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from tests.http.world import ESTATE, free_port
from typer.testing import CliRunner

from locum.cli.main import app
from locum.ledger.checkpoint import Checkpoint, open_checkpoint
from locum.ledger.entry import Entry, decode
from locum.ledger.errors import Fork, LedgerError
from locum.ledger.folder import FolderSource, export
from locum.ledger.note import VerifierKey
from locum.ledger.verification import verify_log
from locum.service.published import StoreSource
from locum.service.record import record
from locum.service.starting import Started, make_folder, start

REASON = "the disk broke"


def system_clock() -> datetime:
    return datetime.now(UTC)


class Operator:
    """One who has a data folder, backs it up without its anchor, and restores it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.backups = folder / "data", folder / "backups"
        settings = '[server]\norigin = "http://127.0.0.1:1"\n'
        make_folder(self.data, settings, system_clock, secrets.token_bytes)
        (self.data / "estate.yaml").write_text(ESTATE.format(closed=free_port()))

    def using(
        self, what: Callable[[Started], object] = lambda _: None, *, sign: bool = True
    ) -> None:
        started = start(self.data, system_clock, secrets.token_bytes)
        try:
            what(started)
            while sign and started.sequencer.integrate():
                continue
        finally:
            started.locum.store.close()

    def acts(self, count: int, *, sign: bool = True) -> None:
        def act(started: Started) -> None:
            for number in range(count):
                entry = Entry("test.acted", system_clock(), facts={"number": number})
                started.locum.store.act(partial(record, entry=entry)).result()

        self.using(act, sign=sign)

    def back_up(self, name: str) -> None:
        shutil.copytree(self.data, self.backups / name)

    def restore(self, name: str) -> None:
        anchor = (self.data / "anchor").read_bytes()
        shutil.rmtree(self.data)
        shutil.copytree(self.backups / name, self.data)
        (self.data / "anchor").write_bytes(anchor)

    def export(self, folder: Path) -> tuple[FolderSource, VerifierKey]:
        keys: list[VerifierKey] = []

        def write(started: Started) -> None:
            keys.append(started.sequencer.signer.verifier)
            export(StoreSource(started.locum.store), folder, keys[0])

        self.using()
        self.using(write, sign=False)
        return FolderSource(folder), keys[0]

    def accept(self, *more: str, typed: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(
            app,
            ["ledger", "accept-restore", "--data", str(self.data), "--reason", REASON, *more],
            input=typed,
        )
        return done.exit_code, done.output

    @property
    def signed(self) -> Checkpoint:
        note = (self.data / "anchor").read_bytes()
        return Checkpoint.parse(note.split(b"\n\n")[0] + b"\n")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    made = Operator(tmp_path)
    made.acts(5)
    made.back_up("first")
    made.acts(7)
    return made


def test_a_restored_backup_signs_nothing_and_says_what_to_do(operator: Operator) -> None:
    operator.restore("first")
    with pytest.raises(Fork, match="accept-restore"):
        operator.using()
    with pytest.raises(Fork, match="accept-restore"):
        operator.acts(30)


@pytest.mark.parametrize("acts_since", [0, 30])
def test_after_the_command_a_new_log_is_signed_and_both_exports_verify(
    operator: Operator, tmp_path: Path, acts_since: int
) -> None:
    old, old_key = operator.export(tmp_path / "old")
    lost = operator.signed
    operator.restore("first")
    operator.acts(acts_since, sign=False)
    code, said = operator.accept("--confirm", str(lost.size), "--json")
    assert code == 0, said
    told = json.loads(said)
    assert (told["signed_size"], told["signed_root"]) == (lost.size, lost.root.hex())
    assert told["kept"] < lost.size
    operator.acts(3)
    new, new_key = operator.export(tmp_path / "new")
    assert new_key.name == f"{old_key.name}/2" == told["origin"]
    assert str(new_key) == told["vkey"]
    assert verify_log(old, (old_key,)).entries == lost.size
    seen: list[Entry] = []
    verify_log(new, (new_key,), visit=lambda _, entry: seen.append(decode(entry)))
    [accepted] = [one for one in seen if one.act == "ledger.restore-accepted"]
    assert accepted.facts["signed_size"] == lost.size
    assert accepted.facts["root"] == told["root"]
    record_of_the_old = str(accepted.facts["signed_checkpoint"]).encode()
    assert open_checkpoint(record_of_the_old, (old_key,)) == lost, "it stays in the record"
    with pytest.raises(LedgerError):
        verify_log(new, (old_key,))  # who knows the old key alone sees that this is another log


def entries_of(log: FolderSource, key: VerifierKey) -> list[bytes]:
    found: list[bytes] = []
    verify_log(log, (key,), visit=lambda _, entry: found.append(entry))
    return found


def test_the_entries_of_the_backup_go_on_in_the_new_log(operator: Operator, tmp_path: Path) -> None:
    old, old_key = operator.export(tmp_path / "old")
    operator.restore("first")
    assert operator.accept("--confirm", str(operator.signed.size))[0] == 0
    new, new_key = operator.export(tmp_path / "new")
    assert entries_of(old, old_key)[:5] == entries_of(new, new_key)[:5]


def test_nothing_happens_without_the_confirmation(operator: Operator) -> None:
    operator.restore("first")
    before = operator.signed
    for more, typed in (((), ""), ((), "1\n"), (("--confirm", "1"), ""), (("--json",), "")):
        code, said = operator.accept(*more, typed=typed)
        assert code != 0, said
    assert operator.signed == before
    with pytest.raises(Fork):
        operator.using()
    code, said = operator.accept(typed=f"{before.size}\n")
    assert code == 0, said
    assert re.search(rf"signed up to {before.size} entries.*Lost: entries \d+ to", said, re.S)


def test_where_nothing_is_lost_nothing_is_accepted(operator: Operator) -> None:
    code, said = operator.accept("--confirm", str(operator.signed.size))
    assert code == 2
    assert "Nothing is lost" in said


def test_a_second_loss_begins_a_third_log_and_an_older_backup_a_fourth(operator: Operator) -> None:
    operator.restore("first")
    assert operator.accept("--confirm", str(operator.signed.size))[0] == 0
    operator.back_up("second")
    operator.acts(9)
    operator.restore("second")
    assert operator.accept("--confirm", str(operator.signed.size))[0] == 0
    assert operator.signed.origin.endswith("/ledger/3")
    operator.restore("first")
    with pytest.raises(Fork, match=r"before a restore was accepted.*accept-restore"):
        operator.using()
    assert operator.accept("--confirm", str(operator.signed.size))[0] == 0
    operator.acts(2)
    assert operator.signed.origin.endswith("/ledger/4")


def test_a_crash_before_the_first_signature_is_made_good_at_the_next_start(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.restore("first")
    before = operator.signed

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("locum.ledger.anchor.FileAnchor.swap", crash)
        operator.accept("--confirm", str(before.size))
    assert operator.signed == before
    assert "Nothing is lost" in operator.accept("--confirm", str(before.size))[1]
    operator.acts(1)
    assert operator.signed.origin.endswith("/ledger/2")


def test_the_database_that_was_not_restored_signs_no_more_either(operator: Operator) -> None:
    operator.back_up("whole")
    operator.restore("first")
    assert operator.accept("--confirm", str(operator.signed.size))[0] == 0
    operator.restore("whole")
    with pytest.raises(Fork):
        operator.acts(1)


def test_an_altered_backup_is_not_accepted(operator: Operator) -> None:
    operator.restore("first")

    def alter(started: Started) -> None:
        def verb(transaction: object) -> None:
            transaction.run("UPDATE ledger_entries SET entry = ? WHERE idx = 1", b"{}")  # type: ignore[attr-defined]

        started.locum.store.act(verb).result()

    operator.using(alter, sign=False)
    code, said = operator.accept("--confirm", str(operator.signed.size))
    assert code == 1
    assert "entry 1" in said
