"""Real programs as children of a test run: own log, own session, and none outlives the run."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Below the range that the kernel gives to outgoing connections, so that a server that is stopped
# and started again finds its port free.
PORTS = range(20_000, 32_000)
ATTEMPTS = 2_400
PAUSE = 0.05

# The kernel ends a child with the thread that made it. This thread lives as long as the process,
# so a server that a short thread of a test restarts lives on, and dies with the run, even by -9.
_launcher = ThreadPoolExecutor(1, "launcher")


def free_port() -> int:
    """Give a port of 127.0.0.1 on which nobody listens."""
    for _ in range(1_000):
        port = secrets.choice(PORTS)
        with socket.socket() as listener:
            # As servers do: a port whose last connections are only lingering is free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port between {PORTS.start} and {PORTS.stop}")


def as_user(uid: int, *options: str) -> list[str]:
    """Give the words before a command that make it run as `uid`, if we are root, not as us."""
    if os.geteuid() != 0:
        return ["setpriv", *options, "--"]
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *options, "--"]


def launch(
    command: list[str | Path],
    log: Path,
    *,
    folder: Path,
    uid: int = 0,
    environment: Mapping[str, str] | None = None,
    on_our_death: str = "KILL",
) -> subprocess.Popen[bytes]:
    """Start a program that writes to `log`, deaf to Ctrl-C, and ends when this process does.

    Args:
        command: the program and its arguments.
        log: where its output is appended.
        folder: where it runs.
        uid: as whom, if we are root.
        environment: the whole of it; by default nothing but the language and the path.
        on_our_death: the signal it gets when this process dies.
    """
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **(environment or {})}
    with log.open("ab") as output:
        return _launcher.submit(
            subprocess.Popen,
            [*as_user(uid, f"--pdeathsig={on_our_death}"), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=env,
            start_new_session=True,
        ).result()


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, what: str
) -> None:
    """Wait until a server says that it is ready.

    Raises:
        AssertionError: it ended, or was not ready in time; with the end of its log.
    """
    never = threading.Event()
    for _ in range(ATTEMPTS):
        if process.poll() is not None:
            break
        if ready():
            return
        never.wait(PAUSE)
    end = log.read_text(errors="replace")[-2_000:]
    state = "is not ready" if process.returncode is None else f"ended with {process.returncode}"
    raise AssertionError(f"{what} {state}; its log ends:\n{end}")
