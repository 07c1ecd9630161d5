"""Run an operator's command: no shell, bounded in time and output, its errors never repeated.

What a command writes to its standard error may hold a secret, so it goes nowhere; the exit status
is all that is told. At the end its whole process group is killed, so that nothing of it is left.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from locum.model.refusal import Unavailable


def run_bounded(
    command: Sequence[str],
    *,
    stdin: bytes,
    seconds: float,
    most_bytes: int,
    environment: Mapping[str, str],
    what: str,
    folder: Path | None = None,
) -> bytes:
    """Give what a command printed.

    Args:
        stdin: what it reads; small enough for a pipe (64 KiB).
        what: the command's part in the story, for the refusal.
        folder: where it runs.

    Raises:
        Unavailable: it cannot run, failed, printed too much, or was not done in time.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    except (OSError, ValueError):
        raise Unavailable(
            f"{what} cannot be run.", "Check that it is there, executable, and its first line."
        ) from None
    try:
        return _heard(process, stdin, monotonic() + seconds, most_bytes, what)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _heard(
    process: subprocess.Popen[bytes], stdin: bytes, end: float, most_bytes: int, what: str
) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        os.write(process.stdin.fileno(), stdin)
    process.stdin.close()
    printed = b""
    while select.select([process.stdout], [], [], max(0.0, end - monotonic()))[0]:
        piece = os.read(process.stdout.fileno(), 65_536)
        if not piece:
            break
        printed += piece
        if len(printed) > most_bytes:
            raise Unavailable(
                f"{what} printed more than {most_bytes} bytes.", "Have it print its answer alone."
            )
    else:
        # Whoever holds the pipe may have more to say, and half an answer is none.
        raise _late(what)
    try:
        status = process.wait(timeout=max(0.0, end - monotonic()))
    except subprocess.TimeoutExpired:
        raise _late(what) from None
    if status != 0:
        raise Unavailable(
            f"{what} ended with status {status}.",
            "Run it by hand to see why; what it wrote to its standard error is not kept.",
        )
    return printed


def _late(what: str) -> Unavailable:
    return Unavailable(f"{what} was not done in time.", "Mend it; it will be tried again.")
