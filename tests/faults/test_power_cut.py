"""The power is cut at any moment: 200 seeded points, on a disk that keeps no more than it must.

`kill -9` leaves what the kernel has; here all that was not synced may be lost, torn or reordered,
as `power.py` says. The real verbs run on a real data folder under `strace`, acknowledgements among
their calls; at each cut the folder is made anew as a disk may hold it, opened with the start-up of
`locum serve`, and all that was acknowledged before the cut is looked for. Needs `strace`.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from locum.ledger.folder import FolderSource
from locum.ledger.verification import verify_log
from locum.model.names import RequestId
from locum.service.published import StoreSource
from tests.faults.acknowledged import Known, check, clock
from tests.faults.cutting import opened
from tests.faults.house import House, estate_at
from tests.faults.power import Disk
from tests.faults.trace import Event, events, traced

SEED = 20270105
CUTS, CUTS_OF_A_LIAR = 200, 12
STDOUT = 1
NEAR = 3  # events
WHAT_A_LIAR_LOSES = (": Fork: ", ": lost: ", ": StorageError: ")


@dataclass(frozen=True)
class Lived:
    """What a process asked of the kernel, and the folder in which it did."""

    root: Path
    asked: list[Event]


@dataclass
class Found:
    """What the cuts showed."""

    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    spoilt: int = 0
    without_next: int = 0
    with_next: int = 0


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("lived")
    root = folder / "disk"
    root.mkdir()
    estate_at(root, clock())
    notes = folder / "notes"
    traced(["-m", "tests.faults.cutting", str(root / "data"), str(SEED)], notes)
    return Lived(root, list(events(notes)))


def told(event: Event) -> str | None:
    """The line that was acknowledged: the client may have it from when the call began."""
    if event.call.handle == STDOUT and not event.returned:
        return event.call.data.decode().rstrip("\n")
    return None


def advance(disk: Disk, part: Sequence[Event]) -> None:
    for event in part:
        if disk.is_here(event.call):
            (disk.end if event.returned else disk.begin)(event.call)


def cut_at(lived: Lived, at: Sequence[int], folder: Path, deaf: tuple[str, ...] = ()) -> Found:
    """Cut the power after so many events, each time of the same life."""
    found, disk = Found(), Disk(lived.root, deaf)
    lines: list[str] = []
    before = 0
    for cut in at:
        part = lived.asked[before:cut]
        advance(disk, part)
        lines += [line for line in map(told, part) if line is not None]
        before = cut
        place = folder / f"cut-{cut}"
        place.mkdir()
        shutil.copy(lived.root / "estate.yaml", place)
        spoilt = disk.after_cut(place, random.Random(f"{SEED} {cut}"))
        found.spoilt += spoilt > 0
        try:
            faults = look(place / "data", lines, next_row(lived, cut), found)
        except Exception as error:
            faults = [f"{type(error).__name__}: {error}"]
        found.faults += [f"cut {cut}: {fault}" for fault in faults]
        shutil.rmtree(place)
    return found


def next_row(lived: Lived, cut: int) -> tuple[str, int] | None:
    """The first version of a request that is acknowledged after the cut."""
    for line in map(told, lived.asked[cut:]):
        if line is not None and line.startswith('["row"'):
            _, request, version = json.loads(line)
            return request, version
    return None


def look(data: Path, lines: list[str], coming: tuple[str, int] | None, found: Found) -> list[str]:
    """Open what the disk holds, and look for everything that was acknowledged: what is wrong."""
    known, exported = Known(), 0
    for line in lines:
        match json.loads(line):
            case ["made"]:
                continue
            case ["exported", size]:
                exported = size
            case _:
                known.learn(line)
    found.acknowledged = known.acknowledged

    def tell(*words: Any) -> None:
        known.learn(json.dumps(words))

    house = opened(data)
    try:
        note_coming(house, coming, found)
        house.sequencer.integrate()
        check(house, known, tell)
        verifier = house.sequencer.signer.verifier
        verify_log(StoreSource(house.store), (verifier,))
        if exported:
            assert verify_log(FolderSource(data / "export"), (verifier,)).entries >= exported
    finally:
        house.store.close()
    return known.faults


def note_coming(house: House, coming: tuple[str, int] | None, found: Found) -> None:
    """Whether what was not acknowledged yet was kept all the same: both may be."""
    if coming is None:
        return
    request, version = coming
    row = house.store.look(lambda transaction: transaction.request(RequestId(request)))
    if row is None or row.version < version:
        found.without_next += 1
    else:
        found.with_next += 1


def places(lived: Lived) -> Iterator[tuple[int, bool]]:
    """After how many events a cut may come, and whether an acknowledgement is near.

    A folder that is not wholly made yet promises nothing.
    """
    disk = Disk(lived.root)
    here = [
        (number, told(event))
        for number, event in enumerate(lived.asked, 1)
        if told(event) or disk.is_here(event.call)
    ]
    made = next(at for at, (_, line) in enumerate(here) if line == '["made"]')
    for at in range(made, len(here)):
        near = any(line for _, line in here[max(made, at - NEAR) : at + NEAR + 1])
        yield here[at][0], near


def chosen(lived: Lived, cuts: int) -> list[int]:
    """Half of the cuts anywhere, half near an acknowledgement; in order."""
    chance, found = random.Random(SEED), list(places(lived))
    near = {at for at, is_near in found if is_near}
    anywhere = chance.sample([at for at, _ in found], cuts // 2)
    return sorted(anywhere + chance.sample(sorted(near - set(anywhere)), cuts - cuts // 2))


def test_the_model_of_the_disk_has_every_byte_that_the_kernel_has(lived: Lived) -> None:
    disk = Disk(lived.root)
    advance(disk, lived.asked)
    real = {
        file.relative_to(lived.root): file.read_bytes()
        for file in (lived.root / "data").rglob("*")
        if file.is_file()
    }
    assert {Path(path): data for path, data in disk.as_the_kernel_has_it().items()} == real


def test_nothing_acknowledged_is_lost_nor_spent_twice_at_200_cuts_of_the_power(
    lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = cut_at(lived, chosen(lived, CUTS), tmp_path)
    with capsys.disabled():
        print(
            f"\n{CUTS} cuts: {found.spoilt} spoilt the disk, "
            f"{found.without_next} lost the act under way, {found.with_next} kept it, "
            f"{found.acknowledged} acts acknowledged before the last"
        )
    assert found.faults == []
    # The cuts could hurt: most took something from the disk, and many took an act under way.
    assert found.spoilt > CUTS / 2
    assert found.without_next > CUTS / 4
    assert found.acknowledged > CUTS


@pytest.mark.parametrize("file", ["locum.db-wal", "locum.db"])
def test_a_disk_that_only_pretends_to_sync_is_found_out(
    lived: Lived, tmp_path: Path, file: str
) -> None:
    found = cut_at(lived, chosen(lived, CUTS_OF_A_LIAR), tmp_path, deaf=(file,))
    assert [one for one in found.faults if any(kind in one for kind in WHAT_A_LIAR_LOSES)]
