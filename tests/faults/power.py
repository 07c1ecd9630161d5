"""What a disk may hold after the power was cut, from everything that a process asked of the kernel.

The model is a journaling file system such as ext4 with `data=ordered`, at its worst:

- A write, or a change of a file's length, is certain once an `fsync` or `fdatasync` of that file,
  begun after it returned, has returned. Before that it is lost, kept, or torn at a border of 512
  bytes, each by itself and in any order; a torn write keeps either of its ends.
- A name (made, renamed, removed) is certain once its folder was synced after it; a new file's or
  folder's also once that file, or something in that folder, was. Names that are not certain are
  kept in the order in which they were made, up to any of them, because the journal has an order.
- What is mapped into memory is lost. SQLite maps its `-shm` alone, an index that it makes anew.
- A drive that says "synced" has synced.

Sources: fsync(2), "does not necessarily ensure that the entry in the directory containing the file
has also reached disk"; the kernel's Documentation/filesystems/ext4/journal.rst; SQLite's "Atomic
Commit" §§2–3, which assumes no less of a disk, and for torn writes "powersafe overwrite".
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.faults.trace import Call

SECTOR = 512
LOST_IN_MEMORY = "-shm"


@dataclass
class Change:
    """Bytes put at an offset, or with `data` None the length set to it."""

    offset: int
    data: bytes | None
    returned: bool = False
    certain: bool = False

    def put(self, into: bytearray) -> None:
        """Make it in a file's content."""
        if self.data is None:
            del into[self.offset :]
        into.extend(bytes(max(0, self.offset - len(into))))
        if self.data is not None:
            into[self.offset : self.offset + len(self.data)] = self.data

    def torn(self, chance: random.Random) -> Change:
        """One end of it, cut at a border of a sector; nothing where it has none within."""
        data = self.data or b""
        borders = range(self.offset // SECTOR * SECTOR + SECTOR, self.offset + len(data), SECTOR)
        at = chance.choice(borders) - self.offset if borders else 0
        if borders and chance.random() < 0.5:
            return Change(self.offset + at, data[at:])
        return Change(self.offset, data[:at])


@dataclass(eq=False)
class Node:
    """A file, or a folder where `is_folder`: what is certain of it, and what came after."""

    is_folder: bool = False
    kept: bytearray = field(default_factory=bytearray)
    changes: list[Change] = field(default_factory=list)

    def settle(self) -> None:
        """Fold what is certain, from the first, into what is kept."""
        while self.changes and self.changes[0].certain:
            change = self.changes.pop(0)
            change.put(self.kept)

    def after_cut(self, chance: random.Random, share: float) -> tuple[bytes, int]:
        """What the disk may hold of it, and how many changes are not as they were asked."""
        image, spoilt = bytearray(self.kept), 0
        for change in self.changes:
            if change.certain or chance.random() < share:
                change.put(image)
                continue
            spoilt += 1
            if change.data is not None and chance.random() < 0.3:
                change.torn(chance).put(image)
        return bytes(image), spoilt


Names = dict[PurePosixPath, Node]


@dataclass(eq=False)
class Naming:
    """What one call did to names; a path without a node is removed."""

    changed: dict[PurePosixPath, Node | None]

    def put(self, into: Names) -> None:
        for path, node in self.changed.items():
            if node is None:
                into.pop(path, None)
            else:
                into[path] = node


class Disk:
    """The files below one folder, as the kernel has them and as the disk may have them.

    Args:
        root: the folder; the calls name it absolutely.
        deaf: names of files whose syncs this disk only pretends to do, to see the test go red.
    """

    def __init__(self, root: Path, deaf: tuple[str, ...] = ()) -> None:
        self.root = PurePosixPath(root)
        self._deaf = deaf
        self.names: Names = {}
        self._kept: Names = {}
        self._namings: list[Naming] = []
        self._places: dict[int, int] = {}
        self._begun: dict[Call, list[Change] | tuple[Node, list[Change], list[Naming]]] = {}

    def begin(self, call: Call) -> None:
        """The process asked for something: from now on it may happen."""
        if call.name in ("write", "pwrite64"):
            self._write(call)
        elif call.name == "ftruncate":
            self._change(call, Change(int(call.words[1]), None))
        elif call.name in ("fsync", "fdatasync"):
            self._sync(call)
        elif call.name not in ("openat", "mkdir", "rename", "unlink"):
            raise AssertionError(f"the model knows nothing of {call.name}{call.words}")

    def end(self, call: Call) -> None:
        """It returned."""
        if call.result < 0:
            assert call.name not in ("write", "pwrite64", "ftruncate", "fsync", "fdatasync"), call
            return
        match call.name:
            case "openat":
                self._opened(call)
            case "mkdir":
                self._name({call.paths[0]: Node(is_folder=True)})
            case "rename":
                self._name({call.paths[0]: None, call.paths[1]: self.names[call.paths[0]]})
            case "unlink":
                self._name({call.paths[0]: None})
            case _:
                self._returned(call)

    def is_here(self, call: Call) -> bool:
        """Whether a call is about this disk, and not about memory."""
        return any(
            path.is_relative_to(self.root) and not path.name.endswith(LOST_IN_MEMORY)
            for path in call.paths
        )

    def _opened(self, call: Call) -> None:
        path = call.paths[0]
        self._places[call.result] = 0
        if path not in self.names and "O_CREAT" in call.words[2]:
            self._name({path: Node()})
        elif "O_TRUNC" in call.words[2]:
            self.names[path].changes.append(Change(0, None, returned=True))

    def _write(self, call: Call) -> None:
        data = call.data
        if call.name == "pwrite64":
            offset = int(call.words[3])
        else:
            offset = self._places[call.handle]
            self._places[call.handle] += len(data)
        self._change(call, Change(offset, data))

    def _change(self, call: Call, change: Change) -> None:
        node = self.names.get(call.paths[0], Node())  # of a removed file nothing is left
        node.changes.append(change)
        self._begun[call] = [change]

    def _sync(self, call: Call) -> None:
        path = call.paths[0]
        node = self.names.get(path, Node(is_folder=path == self.root))
        changes = [change for change in node.changes if change.returned]
        self._begun[call] = (node, changes, list(self._named_by_sync(call.name, path, node)))

    def _named_by_sync(self, how: str, path: PurePosixPath, node: Node) -> Iterator[Naming]:
        """The namings that a sync makes certain: its folder's content, its own, its parents'."""
        for naming in self._namings:
            own = how == "fsync" and node in naming.changed.values()
            above = any(
                one is not None and one.is_folder and path.is_relative_to(at)
                for at, one in naming.changed.items()
            )
            inside = node.is_folder and any(at.parent == path for at in naming.changed)
            if own or above or inside:
                yield naming

    def _returned(self, call: Call) -> None:
        begun = self._begun.pop(call)
        if isinstance(begun, list):
            assert call.data is None or call.result in (0, len(call.data)), call
            begun[0].returned = True
            return
        if call.paths[0].name.endswith(self._deaf) and self._deaf:
            return
        node, changes, namings = begun
        for change in changes:
            change.certain = True
        node.settle()
        for naming in [one for one in self._namings if one in namings]:
            naming.put(self._kept)
            self._namings.remove(naming)

    def _name(self, changed: dict[PurePosixPath, Node | None]) -> None:
        naming = Naming(changed)
        naming.put(self.names)
        self._namings.append(naming)

    def after_cut(self, into: Path, chance: random.Random) -> int:
        """Write what the disk may hold into a folder.

        Returns:
            How many writes and names that the kernel had are not there as they were.
        """
        names = dict(self._kept)
        reached = chance.randint(0, len(self._namings))
        for naming in self._namings[:reached]:
            naming.put(names)
        share = chance.choice((0.0, 0.5, 0.9))
        spoilt = len(self._namings) - reached
        for path, node in sorted(names.items()):
            place = into / path.relative_to(self.root)
            if node.is_folder:
                place.mkdir(mode=0o700)
                continue
            content, missing = node.after_cut(chance, share)
            spoilt += missing
            place.touch(mode=0o600)
            place.write_bytes(content)
        return spoilt

    def as_the_kernel_has_it(self) -> dict[PurePosixPath, bytes]:
        """Every file's content if nothing is lost."""
        certain = random.Random(0)
        return {
            path.relative_to(self.root): node.after_cut(certain, 2.0)[0]
            for path, node in self.names.items()
            if not node.is_folder
        }
