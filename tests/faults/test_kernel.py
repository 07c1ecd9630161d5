"""The kernel says that a write did not reach the disk; needs `strace`, see conftest.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from locum.store.migrating import migrate
from locum.store.sqlite import SqliteStore
from tests.faults.acknowledged import clock
from tests.faults.house import SEAL_KEY
from tests.faults.test_disk import kept

ROOT = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
from locum.model.refusal import StorageError
from locum.store.sqlite import SqliteStore
from tests.faults.house import SEAL_KEY
from tests.faults.acknowledged import clock
store = SqliteStore(Path(sys.argv[1]), SEAL_KEY, clock)
for number in range(40):
    try:
        store.act(lambda transaction: transaction.append(b"%d" % number)).result()
    except StorageError:
        print("refused", number, flush=True)
    else:
        print("kept", number, flush=True)
"""


def test_what_the_kernel_could_not_sync_is_never_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "locum.db"
    migrate(f"sqlite+pysqlite:///{file}")
    done = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync"),
            *("-e", "inject=fdatasync,fsync:error=EIO:when=10..20"),
            *(sys.executable, "-c", CHILD, str(file)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    said = [line.split() for line in done.stdout.splitlines()]
    assert len(said) == 40, done.stderr
    words = [word for word, _ in said]
    assert words[0] == words[-1] == "kept"
    assert "refused" in words
    store = SqliteStore(file, SEAL_KEY, clock)
    try:
        found = {entry.decode() for entry in kept(store)}
    finally:
        store.close()
    assert {number for word, number in said if word == "kept"} <= found
