"""Disks that fail on order: an SQLite file layer over the system's own."""

from __future__ import annotations

import threading
from typing import Any

import apsw

MAIN, LOG = "", "-wal"


class Disk(apsw.VFS):
    """The system's disk, until a test says otherwise.

    Args:
        name: under which SQLite knows it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.full = False
        self.sync_fails = False
        self.syncing = threading.Event()
        self.may_sync = threading.Event()
        self.may_sync.set()
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return DiskFile(self, name, flags)

    def hang(self) -> None:
        """Let every fsync wait until `mend`."""
        self.syncing.clear()
        self.may_sync.clear()

    def mend(self) -> None:
        """Work again."""
        self.full = self.sync_fails = False
        self.may_sync.set()


class DiskFile(apsw.VFSFile):
    """One file on it."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.full:
            raise apsw.FullError("no space")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.syncing.set()
        self._disk.may_sync.wait()
        if self._disk.sync_fails:
            raise apsw.IOError("fsync failed")
        super().xSync(flags)
