"""Measure the import of large exports: the command itself, as a stranger calls it.

The exports are made up, and have the sizes of real entries: an AWS principal with its policies, a
realm's user with credentials, a table's row. Each is stored and not analysed, so that what is
measured is the reading.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from locum.estate.graph.columns import Kind
from locum.estate.graph.reading import read_chart

_SEED = 1
_BLOCK = 1_000
_METHODS = ("api-key", "ssh-key", "password", "x509-certificate")


def report(megabytes: int) -> None:
    """Print what importing exports of so many megabytes takes."""
    print(f"\n== import of {megabytes:,} MB: locum import … --store … --no-check")
    for name, (make, command) in _SOURCES.items():
        with tempfile.TemporaryDirectory(prefix="locum-import-") as scratch:
            export, graph = Path(scratch) / "export", Path(scratch) / "graph"
            _write(export, megabytes, make)
            seconds, peak = _imported([*command, str(export), "--store", str(graph), "--no-check"])
            chart = read_chart(graph)
            identities = int(np.count_nonzero(chart.graph.kind == Kind.IDENTITY))
            size = export.stat().st_size / 1e6
            print(
                f"  {name:<14} {size:6,.0f} MB  {identities:>9,} identities {len(chart.ways):>10,} "
                f"ways  {seconds:6.0f} s {size / seconds:6.1f} MB/s  peak {peak:5.0f} MiB"
            )


def _imported(command: list[str]) -> tuple[float, float]:
    """Seconds, and the MiB that the process had at most; children are counted one by one."""
    code = (
        "import resource,subprocess,sys;"
        "subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, sys.executable, "-m", "locum", "import", *command],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return time.perf_counter() - begun, int(done.stdout) / 1024


def _write(file: Path, megabytes: int, blocks: Callable[[], Iterator[str]]) -> None:
    """Write blocks until there are so many megabytes, then the last."""
    with file.open("w") as stream:
        made = blocks()
        written = 0
        for block in made:
            written += stream.write(block)
            if written >= megabytes * 1e6:
                break
        stream.write(_ENDS[blocks])


def _table() -> Iterator[str]:
    rng = np.random.default_rng(_SEED)
    yield "identity,kind,role,method,owner,rests_on,created,last_used,ends,active\n"
    at = 0
    while True:
        rows = []
        for _ in range(_BLOCK):
            at += 1
            year, month, vault, team = rng.integers((2020, 1, 0, 0), (2027, 10, 20_000, 2_000))
            if at % 20 == 0:
                name = f"person-{at:08d}"
                rows.append(
                    f"{name},human,primary,password+totp,,device:phone-{at:08d} "
                    f"identity-provider:corp,2025-0{month}-01,2026-11-01,,true\n"
                    f"{name},human,found,email-code,,mailbox:{name}@example.com,"
                    f"2024-0{month}-01,never,never,true\n"
                )
                continue
            name, owner = f"service-{at:08d}", f"team-{team}@example.com"
            rows.append(
                f"{name},workload,primary,oidc-workload-token,{owner},"
                f"identity-provider:cluster-{at % 50},2025-0{month}-01,2026-11-01,,true\n"
            )
            rows += [
                f"{name},workload,found,{_METHODS[number % 4]},{owner},vault:kv-{vault},"
                f"{year}-0{month}-01,2026-11-01,never,true\n"
                for number in range(at % 3)
            ]
        rng.shuffle(rows)
        yield "".join(rows)


def _account() -> Iterator[str]:
    statement = {"Effect": "Allow", "Action": [f"s3:Get{at}" for at in range(40)], "Resource": "*"}
    policy = {"PolicyName": "inline", "PolicyDocument": {"Statement": [statement] * 2}}
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}]}
    yield '{"UserDetailList": [{"UserName": "first"}], "GroupDetailList": [], "RoleDetailList": ['
    at = 0
    while True:
        at += 1
        role = {
            "RoleName": f"role-{at:07d}",
            "AssumeRolePolicyDocument": trust,
            "RolePolicyList": [policy],
            "AttachedManagedPolicies": [{"PolicyName": "x", "PolicyArn": "arn:aws:iam::aws:x"}],
        }
        yield ("" if at == 1 else ",\n") + json.dumps(role, indent=1)


def _realm() -> Iterator[str]:
    yield '{"realm": "corp", "resetPasswordAllowed": true, "users": ['
    at = 0
    while True:
        at += 1
        user = {
            "id": f"00000000-0000-0000-0000-{at:012d}",
            "username": f"person-{at:08d}",
            "email": f"person-{at:08d}@example.com",
            "enabled": True,
            "credentials": [
                {"id": f"{at}", "type": kind, "secretData": "x" * 100, "credentialData": "y" * 60}
                for kind in ("password", "otp")[: 1 + at % 2]
            ],
            "realmRoles": ["default-roles-corp"],
        }
        yield ("" if at == 1 else ",\n") + json.dumps(user)


_ENDS = {_table: "", _account: "]}", _realm: "]}"}
_SOURCES = {
    "table (CSV)": (_table, ["csv"]),
    "AWS account": (_account, ["aws"]),
    "Keycloak realm": (_realm, ["keycloak"]),
}
