"""`locum ledger`: verified over the network and offline, exported, and a flipped byte named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.served import Served


@pytest.fixture(scope="session")
def acted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A Locum with some acts on the record."""
    made = Served(tmp_path_factory.mktemp("acted"), people=("alice",))
    for number in range(3):
        ended = made.run("alice", "request", "payments/key", "--cause", "outage",
                         "--reason", f"number {number}", "--incident", "I1")  # fmt: skip
        assert ended.code == 0, ended.err
    yield made
    made.stop()


def test_a_ledger_is_verified_by_address_exported_and_verified_offline(
    acted: Served, tmp_path: Path
) -> None:
    vkey = acted.made.out.split("Verifier key of the ledger:")[1].split()[0]
    by_url = acted.run("", "ledger", "verify", acted.origin, "--vkey", vkey, "--json")
    assert by_url.code == 0, by_url.err
    assert by_url.json()["entries"] >= 4
    folder = tmp_path / "export"
    exported = acted.run("", "ledger", "export", folder, "--url", acted.origin, "--vkey", vkey)
    assert exported.code == 0, exported.err
    assert (folder / "vkey").read_text().strip() == vkey
    offline = acted.run("", "ledger", "verify", folder, "--vkey", vkey)
    assert offline.code == 0, offline.err
    assert "1 tiles" not in offline.out
    wrong = vkey[:-4] + ("AAA=" if not vkey.endswith("AAA=") else "BBB=")
    refused = acted.run("", "ledger", "verify", folder, "--vkey", wrong)
    assert refused.code in (1, 2), refused.out
    assert refused.err.strip()


def test_a_flipped_byte_is_found_and_named(acted: Served, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    assert acted.run("", "ledger", "export", folder, "--url", acted.origin).code == 0
    entries = next((folder / "tile" / "entries").rglob("*"))
    while entries.is_dir():
        entries = next(entries.iterdir())
    flipped = bytearray(entries.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    entries.write_bytes(flipped)
    ended = acted.run("", "ledger", "verify", folder)
    assert ended.code == 1
    assert "entry" in ended.out


def test_a_data_folder_is_verified_when_nobody_writes_it(acted: Served) -> None:
    busy = acted.run("", "ledger", "verify", "--data", acted.data)
    assert busy.code == 1
    assert "Another process is writing" in " ".join(busy.err.split())
    assert acted.stop() == 0
    ended = acted.run("", "ledger", "verify", "--data", acted.data)
    assert ended.code == 0, ended.err
    nothing_lost = acted.run("", "ledger", "accept-restore", "--data", acted.data, "--reason", "x")
    assert nothing_lost.code != 0
    assert nothing_lost.err.strip()
    acted.serve()


@pytest.mark.parametrize(
    "words", [("verify",), ("verify", "/nowhere"), ("export", "/nowhere/x"), ("verify", "http://[")]
)
def test_wrong_sources_are_named(acted: Served, words: tuple[str, ...]) -> None:
    ended = acted.run("", "ledger", *words)
    assert ended.code in (1, 2)
    assert ended.err.strip()
