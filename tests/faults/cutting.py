"""A Locum that lives seeded stories in its data folder, and says what it acknowledged.

Run as a program, so that everything that it asks of the kernel can be written down: see
`test_power_cut.py`. Each acknowledgement is one line on its standard output, written after the
act's future was resolved, which is when a client would have had its answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import sys
import threading
from pathlib import Path
from typing import Any

from locum.ledger.folder import export
from locum.model.refusal import LocumError
from locum.service.published import StoreSource
from locum.service.starting import make_folder, start
from tests.faults.acknowledged import clock, integrate
from tests.faults.house import House
from tests.faults.killing import invitation, story

# The estate is the operator's own file, and lies beside the folder.
SETTINGS = 'estate = "../estate.yaml"\n[server]\norigin = "http://127.0.0.1:8440"\n'
LIVES, WORKERS, TURNS = 3, 3, 7


def opened(folder: Path) -> House:
    """Open a data folder with the start-up that `locum serve` uses."""
    started = start(folder, clock, os.urandom)
    return House(started.locum, started.sequencer)


def tell(*words: Any) -> None:
    """Acknowledge."""
    os.write(1, json.dumps(words).encode() + b"\n")


def turns(house: House, chance: random.Random) -> None:
    """Live so many stories, one after another."""
    for _ in range(TURNS):
        with contextlib.suppress(LocumError):  # nothing was acknowledged; begin another
            chance.choice((story, story, invitation, integrate))(house, tell)


def main(folder: Path, seed: int) -> None:
    """Make the folder, then start, work and stop a few times."""
    make_folder(folder, SETTINGS, clock, secrets.token_bytes)
    tell("made")
    for life in range(LIVES):
        house = opened(folder)
        if life == 0:
            house.people()
        threads = [
            threading.Thread(target=turns, args=(house, random.Random(f"{seed} {life} {at}")))
            for at in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        integrate(house, tell)
        size = export(StoreSource(house.store), folder / "export", house.sequencer.signer.verifier)
        tell("exported", size)
        house.store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
