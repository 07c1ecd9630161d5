"""What a program asked of the kernel about files, with all its data, as `strace` wrote it down."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
# Everything that could change a file, so that a call which nobody thought of is seen.
CALLS = (
    "openat,openat2,open,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,"
    "sync_file_range,ftruncate,truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,rmdir,"
    "link,linkat,symlink,symlinkat,mkdir,mkdirat,copy_file_range,sendfile,splice"
)
_LINE = re.compile(r"(\d+) +(.*)")
_BEGUN = re.compile(r"(\w+)\((.*?)(?: <unfinished \.\.\.>|\) += (-?\d+|\?).*)$")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>.*?\) += (-?\d+|\?).*$")
_HEX = re.compile(r"(?:\\x[0-9a-f]{2})*")


@dataclass(eq=False)
class Call:
    """One call; `result` is known when it has returned."""

    name: str
    words: list[str]
    result: int = 0

    def __post_init__(self) -> None:
        texts = [word for word in self.words if word.startswith('"')]
        self.data = plain(texts[0]) if self.name in ("write", "pwrite64") else b""
        self.handle = -1
        self.paths: list[PurePosixPath] = []
        if self.name.startswith(("open", "rename", "unlink", "mkdir")):
            self.paths = [PurePosixPath(plain(text).decode()) for text in texts]
        elif "<" in self.words[0]:
            number, path = self.words[0].split("<", 1)
            self.handle = int(number)
            self.paths = [PurePosixPath(plain(path).decode(errors="replace"))]


@dataclass(frozen=True)
class Event:
    """A call began, or it returned."""

    call: Call
    returned: bool


def traced(words: list[str], notes: Path) -> str:
    """Run a Python program under `strace`; gives its standard output."""
    done = subprocess.run(
        [
            *("strace", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "1000000"),
            *("-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(notes)),
            *(sys.executable, *words),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def events(notes: Path) -> Iterator[Event]:
    """Read the notes in their order, which is the order in which the kernel stopped for them."""
    waiting: dict[str, Call] = {}
    with notes.open() as lines:
        for line in lines:
            found = _LINE.match(line)
            assert found is not None, line[:200]
            thread, text = found.groups()
            if resumed := _RESUMED.match(text):
                yield _returned(waiting.pop(thread), resumed[2])
            elif begun := _BEGUN.match(text):
                call = Call(begun[1], begun[2].split(", "))
                yield Event(call, returned=False)
                if begun[3] is None:
                    waiting[thread] = call
                else:
                    yield _returned(call, begun[3])


def _returned(call: Call, result: str) -> Event:
    call.result = int(result) if result != "?" else -1
    return Event(call, returned=True)


def plain(text: str) -> bytes:
    """The bytes of what is written as `"\\x6c\\x6f…"`."""
    found = _HEX.search(text.lstrip('"<'))
    assert found is not None
    return bytes.fromhex(found[0].replace("\\x", ""))
