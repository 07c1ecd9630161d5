"""Hooks: the operator's own commands, by bare name out of one folder.

A hook takes no arguments and no environment but `PATH`; what it must know comes as one JSON
document on its standard input. Its file and the folder belong to root or to the user who runs
Locum, and nobody else may write them, so what is checked is what runs.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from locum.issue.run_bounded import run_bounded
from locum.model.names import is_name
from locum.model.refusal import MalformedInput, Unavailable

HOOK_SECONDS = 30.0
_MOST_BYTES = 20_000
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def run_hook(hooks: Path, command: str, stdin: bytes, seconds: float = HOOK_SECONDS) -> bytes:
    """Run a hook and give what it printed.

    Args:
        hooks: the operator's folder.
        command: the hook's bare name.
        seconds: how long it may take.

    Raises:
        MalformedInput: the name is not bare.
        Unavailable: no such hook that may be run, or it failed.
    """
    return run_bounded(
        [str(_hook_file(hooks, command))],
        stdin=stdin,
        seconds=seconds,
        most_bytes=_MOST_BYTES,
        environment=_ENVIRONMENT,
        what=f"The hook {command}",
        folder=hooks,
    )


def _hook_file(hooks: Path, command: str) -> Path:
    if not is_name(command):
        raise MalformedInput(
            "A hook is named by its bare file name in lower case, without a folder or arguments.",
            "Put it into the hooks folder and declare its name.",
        )
    try:
        folder = hooks.resolve(strict=True)
        file = (folder / command).resolve(strict=True)
        about, around = file.stat(), folder.stat()
    except (OSError, RuntimeError):
        raise Unavailable(
            f"There is no hook {command} in {hooks}.", "Put it there and make it executable."
        ) from None
    if file.parent != folder:
        raise Unavailable(
            f"The hook {command} is a link out of the hooks folder.", "Copy the file into it."
        )
    if not stat.S_ISREG(about.st_mode) or not os.access(file, os.X_OK):
        raise Unavailable(f"The hook {command} is not an executable file.", f"`chmod 0755 {file}`.")
    for place, seen in ((file, about), (folder, around)):
        if seen.st_mode & 0o022 or seen.st_uid not in (0, os.geteuid()):
            raise Unavailable(
                f"Others than the operator may write {place}, so the hook is not run.",
                f"`chmod go-w {place}`, and let it belong to root or to the user of Locum.",
            )
    return file
