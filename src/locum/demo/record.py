"""The end of every story: what happened is on the record, and the record cannot be changed."""

from __future__ import annotations

import json
import shutil
import time

from locum.demo.stage import Stage, expect


def recorded(stage: Stage, *trusting: str) -> None:
    """Export the ledger, verify it, and find a flipped byte.

    Raises:
        StoryBroken: it does not verify, or the byte is not found.
    """
    stage.step(
        "The ledger is exported and verified",
        "Every act and every refusal above is an entry of a signed Merkle tree.",
    )
    export, copy = stage.folder / "export", stage.folder / "tampered"
    time.sleep(1.0)  # the sequencer integrates within a second
    stage.locum("dana", "ledger", "export", str(export), "--url", stage.origin, *trusting)
    told = json.loads(stage.locum("dana", "ledger", "verify", str(export), "--json"))
    stage.told(f"{told['entries']} entries verify")
    stage.step("One byte of a copy is flipped", "What was recorded cannot be changed unseen.")
    shutil.copytree(export, copy, dirs_exist_ok=True)
    bundle = next(one for one in (copy / "tile" / "entries").rglob("*") if one.is_file())
    altered = bytearray(bundle.read_bytes())
    altered[len(altered) // 2] ^= 1
    bundle.write_bytes(altered)
    found = json.loads(stage.locum("dana", "ledger", "verify", str(copy), "--json", expect=1))
    expect(found["place"].startswith("entry"), f"the flip was called {found['place']}")
    stage.told(f"found: {found['fact']}")
    shutil.rmtree(copy)
