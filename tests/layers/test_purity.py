"""The model, the laws and the ledger's arithmetic decide on values alone (design §6, §7).

`ruff.pure.toml` names what is banned and why; beside it, imports are held to a short list, so that
a library nobody thought of is refused too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "ruff.pure.toml"
IMPORTED = {
    *("__future__", "typing", "collections", "enum", "dataclasses", "datetime", "decimal"),
    *("math", "itertools", "functools", "operator", "bisect", "hashlib", "hmac", "base64"),
    *("binascii", "struct", "json", "re", "fnmatch", "posixpath", "string", "unicodedata"),
    *("ipaddress", "msgspec", "cryptography", "locum"),
}
NAMES = {"open", "input", "print", "eval", "exec", "compile", "__import__", "breakpoint"}


def lint(*arguments: str | Path, source: str | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", RULES, *arguments],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def pure_modules() -> list[Path]:
    _, files = lint("--show-files", ".")
    return sorted(Path(line) for line in files.splitlines() if line.endswith(".py"))


def impurities(source: str) -> Iterator[str]:
    """Give every import outside the short list, and every name that acts, in order of line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=module, level=0):
                modules = [str(module)]
            case ast.Name(id=name) if name in NAMES:
                yield f"line {node.lineno} uses {name}"
                continue
            case _:
                continue
        yield from (
            f"line {node.lineno} imports {module}"
            for module in modules
            if module.split(".")[0] not in IMPORTED
        )


def test_no_pure_module_breaks_the_linters_bans() -> None:
    status, said = lint(".")
    assert status == 0, said


def test_no_pure_module_imports_outside_the_short_list() -> None:
    found = {
        str(module.relative_to(ROOT)): broken
        for module in pure_modules()
        if (broken := list(impurities(module.read_text(encoding="utf-8"))))
    }
    assert not found


def test_the_rule_covers_the_model_the_laws_and_the_ledgers_arithmetic() -> None:
    covered = {str(path.relative_to(ROOT / "src/locum")) for path in pure_modules()}
    assert {"model/request.py", "laws/life_cycle.py", "ledger/merkle.py"} <= covered


@pytest.mark.parametrize(
    "source",
    [
        "import time\n",
        "from os import environ\n",
        "from datetime import datetime as d\nd.now()\n",
        "import datetime\ndatetime.datetime.now(tz=datetime.UTC)\n",
        "from secrets import token_bytes\n",
        "import random as chance\n",
        "from pathlib import Path\n",
        "open('estate.yaml')\n",
    ],
)
@pytest.mark.parametrize("place", ["model", "laws", "ledger"])
def test_clock_entropy_environment_and_files_are_found(place: str, source: str) -> None:
    status, said = lint("--stdin-filename", f"src/locum/{place}/extra.py", "-", source=source)
    assert status == 1, said


@pytest.mark.parametrize("source", ["import numpy\n", "__import__('os')\n", "def f(): input()\n"])
def test_what_the_linter_does_not_know_is_found_too(source: str) -> None:
    assert list(impurities(source))
