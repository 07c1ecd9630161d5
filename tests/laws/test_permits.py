"""Holding a permit is having been allowed: only the laws make one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import locum
from locum.laws.permits import Refusal
from locum.model.refusal import Breach, Law, RefusedError

PERMITS = {"MayAsk", "MayApprove", "MayOpen", "MayReview"}
SOURCE = Path(locum.__file__).parent


def makers(tree: ast.AST) -> list[int]:
    """The lines on which a permit is made: by its name, its attribute, or an alias of either."""
    names = set(PERMITS)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names |= {one.asname for one in node.names if one.asname and one.name in PERMITS}
        if isinstance(node, ast.Assign) and _name(node.value) in PERMITS:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (_name(node.func) in names or any(_name(one) in names for one in _rebuilt(node)))
    ]


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _rebuilt(call: ast.Call) -> list[ast.expr]:
    """What `convert`, `decode` and their like are told to make."""
    if _name(call.func) not in {"convert", "decode", "Decoder", "partial", "force_setattr"}:
        return []
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def test_only_the_laws_make_permits() -> None:
    made = {
        str(file.relative_to(SOURCE)): lines
        for file in sorted(SOURCE.rglob("*.py"))
        if (lines := makers(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert made, "the scan sees the permits that the laws make"
    assert {name.split("/")[0] for name in made} == {"laws"}, f"made outside the laws: {made}"


@pytest.mark.parametrize(
    "source",
    [
        "from locum.laws.permits import MayOpen\nMayOpen(1)",
        "from locum.laws.permits import MayOpen as M\nM(1)",
        "from locum.laws import permits\npermits.MayReview(1)",
        "from locum.laws.permits import MayAsk\nmake = MayAsk\nmake(1)",
        "import msgspec\nmsgspec.convert({}, permits.MayApprove)",
        "import msgspec\nmsgspec.json.decode(b'', type=MayApprove)",
    ],
)
def test_the_scan_sees_a_permit_made_in_passing(source: str) -> None:
    assert makers(ast.parse(source))


def test_the_scan_lets_a_permit_be_looked_at() -> None:
    source = "from locum.laws.permits import MayOpen\nisinstance(x, MayOpen)\nf(permit)"
    assert makers(ast.parse(source)) == []


def test_a_refusal_is_neither_true_nor_false() -> None:
    with pytest.raises(TypeError, match="no truth value"):
        bool(Refusal(()))


def test_a_refused_error_says_every_law_fact_and_remedy_once() -> None:
    breach = Breach(Law.NO_LONGER, "The path ended.", "Declare a new end.")
    error = RefusedError((breach, breach))
    assert "law 3 (no longer): The path ended." in error.fact
    assert error.remedy == "Declare a new end."
    assert str(breach) == "law 3 (no longer): The path ended. Declare a new end."
