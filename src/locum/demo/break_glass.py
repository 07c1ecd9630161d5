"""The story of a break-glass role: opened by two, used unseen, dead after close, reviewed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from locum.demo.database import DemoDatabase
from locum.demo.record import recorded
from locum.demo.stage import Stage, StoryBroken, console, expect

PATH = "orders-db-admin/break-glass"
_ESTATE = """version: 1
groups:
  administrators: [dana]
  sre-leads: [alice, bob, carol]
  platform-security: [dana]
databases:
  orders-db:
    host: 127.0.0.1
    port: {port}
    dbname: orders
    admin: locum_admin
    admin_secret: orders-db-admin-password
    sslmode: disable
identities:
  alice: {{ kind: human, owner: alice@example.com, primary: {{ method: passkey-device-bound }} }}
  bob: {{ kind: human, owner: bob@example.com, primary: {{ method: passkey-device-bound }} }}
  carol: {{ kind: human, owner: carol@example.com, primary: {{ method: passkey-device-bound }} }}
  dana: {{ kind: human, owner: dana@example.com, primary: {{ method: passkey-device-bound }} }}
  orders-db-admin:
    kind: workload
    owner: orders-team
    primary:
      method: oidc-workload-token
      authority: {{ audiences: [orders-db], environment: production }}
    fallbacks:
      break-glass:
        method: vaulted-secret
        target: {{ postgresql-role: orders_admin, database: orders-db }}
        causes: [outage]
        approvals: {{ of: sre-leads, need: 2, within: 30m }}
        limits: {{ ttl: 30m }}
        review: {{ by: platform-security, within: 24h, blocks: due }}
        drill: {{ every: 90d }}
        owner: orders-team
        reason: repair orders while the workload identity provider is down
        until: 2099-12-31
"""
_USE = """
psql -Atqc "UPDATE orders SET state = 'repaired' WHERE state = 'stuck'"
echo "orders repaired: $(psql -Atqc "SELECT count(*) FROM orders WHERE state = 'repaired'")"
umask 077; printf %s "$PGPASSWORD" > "$LOOT/password"
env | grep ^PG | grep -v PASSWORD > "$LOOT/env"
setsid psql -Atqc 'SELECT pg_sleep(3600)' > "$LOOT/session" 2>&1 < /dev/null &
echo $! > "$LOOT/pid"
"""


def play(stage: Stage, database: DemoDatabase) -> None:
    """Play the story.

    Raises:
        StoryBroken: a step did not go as told.
    """
    loot = stage.folder / "loot"
    loot.mkdir()
    os.environ["LOOT"] = str(loot)
    try:
        _people(stage, database)
        request = _asked(stage)
        grant = _opened(stage, request)
        _used(stage, database, grant, loot)
        _reviewed(stage, grant)
        recorded(stage)
    finally:
        shutil.rmtree(loot, ignore_errors=True)


def _people(stage: Stage, database: DemoDatabase) -> None:
    stage.step(
        "A Locum, a PostgreSQL, three operators and a reviewer",
        "Each person makes a key on their own machine; every call is bound to it. dana invites, "
        "and neither asks nor approves: a fresh key speaks for its inviter too.",
    )
    estate = stage.folder / "estate.yaml"
    estate.write_text(_ESTATE.format(port=database.port))
    code = stage.begin(
        "dana", estate, {"orders-db-admin-password": database.admin_password.reveal()}
    )
    stage.register("dana", code)
    for person in ("alice", "bob", "carol"):
        stage.register(person, stage.code_in(stage.locum("dana", "invite", person, quiet=True)))
    stage.told("alice, bob and carol are sre-leads; dana of platform-security reviews")


def _asked(stage: Stage) -> str:
    stage.step(
        "The workload identity provider is down; alice asks for the break-glass role",
        "A path opens for a declared cause only, and here the approvers confirm the incident.",
    )
    asked = stage.data_of(
        "alice", "request", PATH, "--cause", "outage", "--incident", "INC-2041",
        "--reason", "orders are stuck and the identity provider is down",
    )  # fmt: skip
    request: str = asked["id"]
    stage.told(f"{request} is {asked['state']}; it needs {asked['needs'][0][:22]}")
    stage.step("alice tries to approve her own request", "Law 6: no one alone.")
    stage.locum("alice", "approve", request, expect=1)
    stage.told("refused")
    stage.step("bob approves, and alice tries to open with one approval", "Two must approve.")
    stage.locum("bob", "approve", request, "--comment", "saw INC-2041")
    stage.locum("alice", "activate", request, expect=1)
    stage.told("refused")
    return request


def _opened(stage: Stage, request: str) -> str:
    stage.step(
        "carol approves, and alice opens the path", "The grant ends in 30 min, come what may."
    )
    stage.locum("carol", "approve", request, "--comment", "confirmed on the bridge")
    opened = stage.data_of("alice", "activate", request)
    grant: str = opened["grant"]["id"]
    stage.told(f"{grant} is open until {opened['grant']['ends_at']}: {opened['grant']['proof']}")
    return grant


def _used(stage: Stage, database: DemoDatabase, grant: str, loot: Path) -> None:
    stage.step(
        "alice runs psql with a password that nobody sees",
        "It is set at this moment and put into the command's environment. To test Locum, her "
        "command also steals the password and leaves a session open behind it.",
    )
    printed = stage.locum("alice", "run", grant, "--", "sh", "-c", _USE, quiet=True)
    console.print(f"   alice$ locum run {grant} -- sh -c 'psql …'", markup=False)
    expect("orders repaired: 7" in printed, f"the command printed {printed!r}")
    password = (loot / "password").read_text()
    expect(password not in printed, "the password was printed")
    stage.told("7 orders repaired; the command ended, and so the grant closed")
    stage.step(
        "The stolen password and the session left open",
        "At close the password is replaced, the role may not log in, its sessions are ended.",
    )
    _await_dead(stage, grant)
    again = subprocess.run(
        [database.programs / "psql", "-Atqc", "SELECT 1"],
        env={
            **os.environ,
            **dict(line.split("=", 1) for line in (loot / "env").read_text().splitlines()),
            "PGPASSWORD": password,
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expect(again.returncode != 0, "the stolen password still works")
    console.print(f"     {again.stderr.strip()}", style="yellow", markup=False)
    stage.told("the stolen password is refused")
    ended = (loot / "session").read_text().strip().splitlines()
    expect(bool(ended) and "terminating connection" in ended[0], f"the session said {ended}")
    console.print(f"     {ended[0]}", style="yellow", markup=False)
    stage.told("the open session is dead")


def _await_dead(stage: Stage, grant: str) -> None:
    for _ in range(60):
        grants = json.loads(stage.locum("dana", "status", "--json", quiet=True))["grants"]
        if all(one["dead"] for one in grants if one["id"] == grant):
            return
        time.sleep(0.5)
    raise StoryBroken("The credential was not seen dead.", "Look at the server's log.")


def _reviewed(stage: Stage, grant: str) -> None:
    stage.step(
        "bob asks for the path again, before anybody has reviewed",
        "Law 5: every grant ends in a review; this path is blocked until then.",
    )
    asking = ("request", PATH, "--cause", "outage", "--incident", "INC-2042", "--reason", "again")
    stage.locum("bob", *asking, expect=1)
    stage.told("refused")
    stage.step("alice tries to review herself; then dana reviews", "A third person judges.")
    judging = ("review", grant, "--verdict", "emergency", "--comment", "7 orders, as announced")
    stage.locum("alice", *judging, expect=1)
    stage.locum("dana", *judging)
    asked = stage.data_of("bob", *asking)
    stage.told(f"the path is free again: {asked['id']} is {asked['state']}")
    stage.locum("bob", "deny", asked["id"], quiet=True)
