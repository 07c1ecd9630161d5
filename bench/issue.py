"""`make bench-issue`: issue and check leased tokens, beside OpenBao's service tokens.

The full path is measured on both sides: the caller proved, the decision made, the record durable
before the answer. Locum's act is `POST /v1/requests/{id}/activate`: access token and DPoP proof
verified, all seven laws decided, state, token hash and ledger entry committed, token delivered.
OpenBao's is `POST auth/token/create` of a service token with a lease, audit on.
"""

from __future__ import annotations

import json
import platform
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime

import hvac

from bench.load import Run, run
from bench.locum_server import LocumServer
from bench.openbao import OpenBao

CLIENTS = (1, 8, 32, 128)
SECONDS = 4.0
ROOM = {1: 8_000, 8: 24_000, 32: 32_000, 128: 32_000}
APART = 1
SHORT = 40
FRONTS = 2


def main() -> None:
    """Measure, and print a table with ratios."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    python = platform.python_version()
    print(f"{platform.machine()}, {_model()}, Python {python}; {seconds:.0f} s each")
    print(f"Locum: one deciding process and {FRONTS} fronts; costs are of all its processes")
    room = {clients: int(ROOM[clients] * seconds / SECONDS) for clients in CLIENTS}
    rows: list[tuple[str, int, Run, Run]] = []
    server = LocumServer(sum(room.values()) + APART, FRONTS)
    bao = OpenBao()
    try:
        # Side by side for each row, so that what else the machine does falls on both alike.
        at = 0
        for clients in CLIENTS:
            chosen = server.requests[at : at + room[clients]]
            calls = [server.call("POST", f"/v1/requests/{one}/activate", "{}") for one in chosen]
            theirs = _bao_issue(bao, clients, seconds)
            ours = run(server.origin, calls, clients, seconds, server.pid, status=201)
            at += room[clients]
            rows.append(("issue", clients, ours, theirs))
        opened = server.client.post(f"/v1/requests/{server.requests[at]}/activate")
        token = opened["credential"]["value"]
        form = "application/x-www-form-urlencoded"
        for clients in CLIENTS:
            calls = [
                server.call("POST", "/oauth/introspect", f"token={token}", form)
                for _ in range(2_000)
            ]
            theirs = _bao_look(bao, clients, seconds)
            ours = run(server.origin, calls, clients, seconds, server.pid, status=200, again=True)
            rows.append(("check", clients, ours, theirs))
        theirs_late = _late_bao(bao, seconds + 2)
        ours_late = _late_locum(server, calls, seconds + 2)
    finally:
        server.close()
        bao.close()
    _table(rows)
    print(f"called valid past the end, {SHORT} tokens of 2 s, 32 clients looking up beside:")
    print(f"  Locum {ours_late}; OpenBao {theirs_late}")


def _bao_issue(bao: OpenBao, clients: int, seconds: float) -> Run:
    body = json.dumps({"ttl": "5m", "policies": ["default"]})
    call = "\t".join(["POST", "/v1/auth/token/create", "X-Vault-Token", bao.client.token, body])
    return run(bao.url, [call], clients, seconds, bao.pid, status=200, again=True)


def _bao_look(bao: OpenBao, clients: int, seconds: float) -> Run:
    made = bao.client.auth.token.create(ttl="1h", policies=["default"])
    token = made["auth"]["client_token"]
    call = "\t".join(["GET", "/v1/auth/token/lookup-self", "X-Vault-Token", token, ""])
    return run(bao.url, [call], clients, seconds, bao.pid, status=200, again=True)


def _late_locum(server: LocumServer, load: list[str], seconds: float) -> str:
    """Open tokens of 2 s under load, and ask about each until well past its end."""
    tokens = []
    for _ in range(SHORT):
        asked = {"path": "service/short", "cause": "outage", "reason": "measure"}
        request = server.client.post("/v1/requests", asked)["id"]
        opened = server.client.post(f"/v1/requests/{request}/activate")
        ends = datetime.fromisoformat(opened["grant"]["ends_at"]).timestamp()
        tokens.append((opened["credential"]["value"], ends))

    def active(token: str) -> bool:
        answer = server.client._call("POST", "/oauth/introspect", data={"token": token})
        return bool(answer["active"])

    return _lateness(
        tokens, active, lambda: run(
            server.origin, load, 32, seconds, server.pid, status=200, again=True
        )
    )  # fmt: skip


def _late_bao(bao: OpenBao, seconds: float) -> str:
    """The same of OpenBao: service tokens of 2 s, looked up by another token."""
    tokens = []
    for _ in range(SHORT):
        made = bao.client.auth.token.create(ttl="2s", policies=["default"])["auth"]
        tokens.append((made["client_token"], time.time() + 2))

    def active(token: str) -> bool:
        try:
            bao.client.auth.token.lookup(token)
        except hvac.exceptions.VaultError:
            return False
        return True

    return _lateness(tokens, active, lambda: _bao_look(bao, 32, seconds))


def _lateness(
    tokens: list[tuple[str, float]], active: Callable[[str], bool], load: Callable[[], Run]
) -> str:
    thread = threading.Thread(target=load)
    thread.start()
    late: list[float] = []
    while thread.is_alive():
        for token, ends in tokens:
            sent = time.time()
            if sent > ends and active(token):
                late.append(sent - ends)
    return f"{len(late)} times, up to {max(late, default=0.0) * 1e3:.0f} ms late"


def _table(rows: list[tuple[str, int, Run, Run]]) -> None:
    head = (
        f"{'act':6} {'clients':>7} | {'Locum/s':>8} {'p50 ms':>7} {'p99':>7} {'p99.9':>7} "
        f"{'cores':>5} {'MB':>5} {'kB/act':>6} | {'OpenBao/s':>9} {'p50':>7} {'p99':>7} "
        f"{'cores':>5} {'MB':>5} {'kB/act':>6} | ratio"
    )
    print(head)
    for act, clients, ours, theirs in rows:
        print(
            f"{act:6} {clients:7} | {ours.rate:8.0f} {ours.p50:7.2f} {ours.p99:7.2f} "
            f"{ours.p999:7.2f} {ours.cpu:5.2f} {ours.rss_mb:5.0f} {ours.written_kb:6.1f} | "
            f"{theirs.rate:9.0f} {theirs.p50:7.2f} {theirs.p99:7.2f} {theirs.cpu:5.2f} "
            f"{theirs.rss_mb:5.0f} {theirs.written_kb:6.1f} | {ours.rate / theirs.rate:5.2f}"
        )
        if ours.wrong or theirs.wrong:
            print(
                f"       not as expected: {ours.wrong} {ours.said} / {theirs.wrong} {theirs.said}"
            )


def _model() -> str:
    with open("/proc/cpuinfo") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return f"{len(names)} × {names[0]}, {time.strftime('%Y-%m-%d')}"


if __name__ == "__main__":
    main()
