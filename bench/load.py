"""Load from `wrk` on loopback, with calls prepared beforehand, and what it cost the server."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

# One line a call: path, then header name and value pairs, then the body, all between tabs.
_LUA = """
local calls = {}
local at, first, wrong = 0, nil, 0
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args)
  for line in io.lines("%(calls)s") do calls[#calls + 1] = line end
end
local function send(line)
  local parts = {}
  for part in string.gmatch(line .. "\\t", "([^\\t]*)\\t") do parts[#parts + 1] = part end
  local headers = {}
  for i = 3, #parts - 1, 2 do headers[parts[i]] = parts[i + 1] end
  return wrk.format(parts[1], parts[2], headers, parts[#parts])
end
function request()
  if at >= #calls then
    if not %(again)s then return send("GET\\t/healthz\\t") end
    at = 0
  end
  at = at + 1
  return send(calls[at])
end
function response(status, headers, body)
  if status == %(status)d then won = (won or 0) + 1 else
    wrong = wrong + 1
    if first == nil then first = status .. " " .. string.sub(body, 1, 300) end
  end
  odd, said, sent = wrong, first, at
end
function done(summary, latency, requests)
  local good, bad, said, used = 0, 0, "", 0
  for _, thread in ipairs(threads) do
    good = good + (thread:get("won") or 0)
    bad = bad + (thread:get("odd") or 0)
    said = thread:get("said") or said
    used = used + (thread:get("sent") or 0)
  end
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d %%d %%s\\n", good, bad, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), used, said))
end
"""


class Run(msgspec.Struct, frozen=True):
    """One load run: rates per second, latencies in milliseconds, costs per call."""

    rate: float
    p50: float
    p99: float
    p999: float
    cpu: float
    rss_mb: float
    written_kb: float
    wrong: int
    said: str
    used: int


def run(
    url: str,
    calls: Sequence[str],
    clients: int,
    seconds: float,
    process: int,
    *,
    status: int,
    again: bool = False,
) -> Run:
    """Send prepared calls over `clients` connections.

    Args:
        calls: lines as the script reads them; each is sent once, or in a circle if `again`.
        process: whose CPU time, memory and written bytes are counted, with its children's.
        status: what a good answer has.
    """
    with tempfile.TemporaryDirectory() as folder:
        lines, script = Path(folder) / "calls", Path(folder) / "load.lua"
        lines.write_text("\n".join(calls) + "\n")
        fields = {"calls": lines, "again": "true" if again else "false", "status": status}
        script.write_text(_LUA % fields)
        first = psutil.Process(process)
        server = [first, *first.children()]
        before = _used(server)
        words = ["wrk", "-t1", f"-c{clients}", f"-d{int(seconds)}s", "--timeout", "10s"]
        printed = subprocess.run(
            [*words, "-s", str(script), url], capture_output=True, text=True, check=False
        )
        after = _used(server)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) ?(.*)", printed.stdout)
    if found is None:
        raise RuntimeError(f"wrk printed no result: {printed.stdout} {printed.stderr}")
    good, bad, micros, p50, p99, p999, used = (int(found[n]) for n in range(1, 8))
    took = micros / 1e6
    spent, written = after[0] - before[0], after[1] - before[1]
    memory = sum(one.memory_info().rss for one in server)
    return Run(
        good / took, p50 / 1e3, p99 / 1e3, p999 / 1e3, spent / took,
        memory / 1e6, written / 1e3 / max(good, 1),
        bad, found[8], used,
    )  # fmt: skip


def _used(processes: Sequence[psutil.Process]) -> tuple[float, int]:
    """CPU seconds and written bytes of processes together."""
    times = [one.cpu_times() for one in processes]
    written = sum(one.io_counters().write_bytes for one in processes)
    return sum(one.user + one.system for one in times), written
