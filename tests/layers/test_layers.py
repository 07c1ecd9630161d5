"""The house of design §7 holds: each layer imports only from those below it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)


def broken_contracts(root: Path) -> str:
    """Give what the import rules of `root`'s pyproject.toml say against its `src`, or nothing."""
    done = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def house_with(root: Path, module: str, source: str) -> Path:
    """Make a small house under the real rules, with one module more."""
    shutil.copy(ROOT / "pyproject.toml", root)
    for layer in ("model", "laws", "store", "service"):
        (root / "src/locum" / layer).mkdir(parents=True)
        (root / "src/locum" / layer / "__init__.py").touch()
    (root / "src/locum/__init__.py").touch()
    added = root / "src/locum" / module
    added.parent.mkdir(exist_ok=True)
    (added.parent / "__init__.py").touch()
    added.write_text(source)
    return root


def test_each_layer_imports_only_from_those_below_it() -> None:
    broken = broken_contracts(ROOT)
    assert not broken, broken


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("model/extra.py", "import locum.laws\n"),
        ("laws/extra.py", "def late() -> None:\n    import locum.store\n"),
        ("store/extra.py", "import locum.service\n"),
        ("guard/check.py", "import locum.laws\n"),
        ("guard/check.py", "import locum.store\n"),
        ("http/app.py", "import locum.console\n"),
    ],
)
def test_an_import_that_goes_up_is_found(tmp_path: Path, module: str, source: str) -> None:
    root = house_with(tmp_path, module, source)
    if module.startswith("http"):
        (root / "src/locum/console").mkdir()
        (root / "src/locum/console/__init__.py").touch()
    assert source.strip().split()[-1] in broken_contracts(root)


def test_an_import_that_goes_down_is_allowed_while_layers_are_missing(tmp_path: Path) -> None:
    root = house_with(tmp_path, "guard/check.py", "import locum.model\n")
    assert not broken_contracts(root)
