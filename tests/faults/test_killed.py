"""`kill -9` at any moment: 200 seeded points in one run, on both stores.

After every kill the next process opens the same store and checks all that was ever acknowledged:
it is there, nothing was spent twice, ledger and state agree, and no checkpoint forks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers.postgres import PostgresProcess

ROOT = Path(__file__).parents[2]
SEED = 20270104
SQLITE_KILLS, POSTGRES_KILLS = 140, 60


def killed(url: str, folder: Path, kills: int) -> dict[str, Any]:
    order = {"url": url, "folder": str(folder), "kills": kills, "seed": SEED}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killing"],
        input=json.dumps(order) + "\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def check_report(report: dict[str, Any], kills: int) -> None:
    assert report["faults"] == []
    # Most processes lived long enough to check what they found, and to get on with the work.
    assert report["checks"] > kills / 2
    assert min(report[one] for one in ("takes", "redeemed", "notes")) > kills / 4
    assert report["entries"] > report["requests"] > kills / 4


def test_nothing_acknowledged_is_lost_nor_spent_twice_at_140_kills_of_sqlite(
    tmp_path: Path,
) -> None:
    report = killed(f"sqlite:///{tmp_path}/locum.db", tmp_path, SQLITE_KILLS)
    check_report(report, SQLITE_KILLS)


def test_nothing_acknowledged_is_lost_nor_spent_twice_at_60_kills_on_postgresql(
    tmp_path: Path, postgres_server: PostgresProcess
) -> None:
    report = killed(postgres_server.create_database("killed"), tmp_path, POSTGRES_KILLS)
    check_report(report, POSTGRES_KILLS)
