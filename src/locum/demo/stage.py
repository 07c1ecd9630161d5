"""The stage: a served Locum and its operators, each with a key of their own.

What an operator does is done by the `locum` program, as a person would; a step that did not go as
told ends the story.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from locum.model.refusal import LocumError, Unavailable

console = Console(highlight=False, soft_wrap=True)
_CODE = re.compile(r"--invite (\S+)")
_TRIES = 150


class StoryBroken(LocumError):
    """A step of the story did not go as told."""


class Stage:
    """One Locum, served by a process of its own.

    Args:
        folder: the data folder, and the operators' keys beside it.
        port: where it listens on 127.0.0.1.
        programs: a folder of programs that operators run.
        tls: Locum's certificate and key, and the authority that vouches for it, PEM files; plain
            HTTP without.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        programs: Path | None = None,
        tls: tuple[Path, Path, Path] | None = None,
    ) -> None:
        self.folder, self.port = folder, port
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self._programs, self._tls = programs, tls
        self._server: subprocess.Popen[bytes] | None = None
        self._step = 0

    @property
    def data(self) -> Path:
        """Locum's data folder."""
        return self.folder / "locum"

    def step(self, title: str, why: str) -> None:
        """Announce a step, with why it matters."""
        self._step += 1
        console.print(f"\n[bold]{self._step}. {title}[/bold]")
        console.print(f"   {why}", style="dim", markup=False)

    def told(self, words: str) -> None:
        """Tell what happened."""
        console.print(f"   [green]✓[/green] {words}")

    def locum(
        self, who: str, *words: str, stdin: str = "", expect: int = 0, quiet: bool = False
    ) -> str:
        """Have an operator run `locum …`, and check how it ended.

        Raises:
            StoryBroken: it ended otherwise.
        """
        if not quiet:
            console.print(f"   {who or 'operator'}$ locum {' '.join(words)}", markup=False)
        home = self.folder / "people" / (who or "operator")
        done = subprocess.run(
            [sys.executable, "-m", "locum", *words],
            env={
                **os.environ,
                "LOCUM_HOME": str(home),
                "PATH": f"{self._programs or ''}:{os.environ.get('PATH', '')}",
                "COLUMNS": "160",
            },
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != expect:
            raise StoryBroken(
                f"`locum {' '.join(words)}` ended with {done.returncode}, not {expect}: "
                f"{done.stdout[-400:]} {done.stderr[-800:]}",
                "This is a defect of the demo or of Locum; please report it.",
            )
        for line in done.stderr.strip().splitlines() if expect else ():
            console.print(f"     {line}", style="yellow", markup=False)
        return done.stdout

    def data_of(self, who: str, *words: str) -> Any:
        """What `locum … --json` prints."""
        return json.loads(self.locum(who, *words, "--json"))

    def begin(
        self, admin: str, estate: Path, secrets: Mapping[str, str], settings: str = ""
    ) -> str:
        """Make the data folder, seal secrets, serve; gives the first invitation's code.

        Args:
            settings: what is added to `locum.toml`.
        """
        tls = ("--certificate", self._tls[0], "--key", self._tls[1]) if self._tls else ()
        made = self.locum(
            "", "init", str(self.data), "--admin", admin, "--estate", str(estate),
            "--port", str(self.port), *map(str, tls), quiet=True,
        )  # fmt: skip
        if settings:
            with (self.data / "locum.toml").open("a") as file:
                file.write(settings)
        for name, value in secrets.items():
            self.locum("", "vault", "put", name, "--data", str(self.data), stdin=value, quiet=True)
        self.serve()
        return self.code_in(made)

    def register(self, person: str, code: str) -> None:
        """Have a person make a key and register it by an invitation."""
        trusting = ("--ca-file", str(self._tls[2])) if self._tls else ()
        self.locum(person, "login", "--url", self.origin, "--invite", code, *trusting, quiet=True)

    def code_in(self, printed: str) -> str:
        """The invitation's code in what a command printed."""
        found = _CODE.search(printed)
        if found is None:
            raise StoryBroken("No invitation was printed.", "Please report it.")
        return found.group(1)

    def serve(self) -> None:
        """Start `locum serve` and wait until it is ready."""
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "locum", "serve", "--data", str(self.data)],
                stdout=log,
                stderr=log,
            )
        trusted = ssl.create_default_context(cafile=self._tls[2] if self._tls else None)
        for _ in range(_TRIES):
            if self._server.poll() is not None:
                break
            try:
                if httpx.get(f"{self.origin}/readyz", timeout=2, verify=trusted).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        log_text = (self.folder / "server.log").read_text()[-600:]
        raise Unavailable(
            f"Locum did not start on port {self.port}: {log_text}",
            "Is the port in use? Choose another: --port 8441.",
        )

    def stay(self) -> None:
        """Serve until Ctrl-C."""
        if self._server is not None:
            try:
                self._server.wait()
            except KeyboardInterrupt:
                console.print("\nStopping.")

    def stop(self) -> None:
        """Stop the server gracefully."""
        if self._server is not None and self._server.poll() is None:
            self._server.terminate()
            try:
                self._server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._server.kill()


def expect(held: bool, otherwise: str) -> None:
    """Go on only where a step went as told.

    Raises:
        StoryBroken: it did not.
    """
    if not held:
        raise StoryBroken(f"Not as told: {otherwise}.", "Please report it.")
