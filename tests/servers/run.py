"""One test run: a folder of logs that every server writes to, and the secrets that it used.

At the end every log is searched for every secret, as it is and in the encodings in which it might
slip through. The list of secrets lies beside the logs, not among them, and is shared by all the
processes of the run.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from locum.model.secret import Secret

SHORTEST = 8


class Run:
    """The folder of a run.

    Args:
        folder: where it is; made by `Run.begin` in the first process.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self._secrets = folder / "secrets"

    @classmethod
    def begin(cls) -> Run:
        """Make the folder of a new run, which only its user can read."""
        run = cls(Path(tempfile.mkdtemp(prefix="locum-tests-")))
        run.logs.mkdir()
        run._secrets.touch(mode=0o600)
        return run

    def record(self, secret: str | Secret) -> None:
        """Remember that a test uses this secret.

        Raises:
            ValueError: too short to be told from other text; use a longer secret.
        """
        value = secret.reveal() if isinstance(secret, Secret) else secret
        if len(value) < SHORTEST:
            raise ValueError(f"a secret of fewer than {SHORTEST} characters cannot be searched for")
        test = os.environ.get("PYTEST_CURRENT_TEST", "a fixture").rsplit(" ", 1)[0]
        line = json.dumps([value, test]).encode() + b"\n"
        # One write to a file that is open for appending: processes do not mix their lines.
        out = os.open(self._secrets, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(out, line)
        finally:
            os.close(out)

    def leaks(self) -> list[str]:
        """Search every log for every secret; give file, line and whose secret, never the secret."""
        owners = self._owners()
        if not owners:
            return []
        patterns = self.folder / "patterns"
        patterns.touch(mode=0o600)
        patterns.write_text("".join(f"{text}\n" for text in owners))
        done = subprocess.run(
            ["grep", "-r", "-a", "-n", "-H", "-Z", "-F", "-f", patterns, self.logs],
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        patterns.unlink()
        if done.returncode > 1:
            raise AssertionError(f"the logs could not be searched: {done.stderr.decode()}")
        return [told(line, owners) for line in done.stdout.splitlines()]

    def end(self, *, keep_logs: bool) -> None:
        """Forget the secrets, and unless somebody has to read them, the logs."""
        self._secrets.unlink(missing_ok=True)
        if not keep_logs:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _owners(self) -> dict[str, str]:
        records = (json.loads(line) for line in self._secrets.read_text().splitlines())
        return {text: test for value, test in records for text in ways_to_write(value)}


def told(found: bytes, owners: dict[str, str]) -> str:
    """Turn a line of grep's answer into one that can be shown."""
    name, _, rest = found.partition(b"\0")
    number, _, text = rest.partition(b":")
    line = text.decode(errors="replace")
    tests = sorted({test for secret, test in owners.items() if secret in line})
    return f"{name.decode()}:{number.decode()} has a secret of {', '.join(tests)}"


def ways_to_write(secret: str) -> Iterator[str]:
    """Give the texts that show a secret: its lines, escaped for JSON or a URL, base64 and hex."""
    for line in secret.splitlines():
        if len(line) >= SHORTEST and not line.startswith("-----"):
            yield line
            yield json.dumps(line)[1:-1]
            yield quote(line, safe="")
    raw = secret.encode()
    for encoded in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield encoded.decode().rstrip("=")
    yield raw.hex()
