"""The README and the pages of docs/ are true: what they name exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from locum.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(locum [^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
_THIS_MACHINE = re.compile(r"(?<![\w.])/(work|tmp|root|home/\w+)/")


def named(page: Path) -> list[str]:
    """Every `locum …` that a page names, in a span or on a line of a shell example."""
    text = page.read_text()
    lines = [
        line
        for kind, body in _FENCE.findall(text)
        if kind == "sh"
        for line in re.split(r"\n|\| |&& ", body)
    ]
    return _SPAN.findall(_FENCE.sub("", text)) + [
        line for line in lines if line.startswith("locum ")
    ]


def command_of(words: list[str]) -> tuple[TyperCommand | TyperGroup, list[str]]:
    """The command that the words name, and the words that are left to it."""
    found = typer.main.get_command(app)
    while isinstance(found, TyperGroup) and words and not words[0].startswith("-"):
        assert words[0] in found.commands, f"there is no `locum … {words[0]}`"
        _, found, words = found.resolve_command(typer.Context(found), words)
    assert isinstance(found, TyperCommand | TyperGroup)
    return found, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    for line in named(page):
        words = shlex.split(line.replace("…", ""), comments=True)[1:]
        command, rest = command_of(words)
        options = {"--help", *(one for item in command.params for one in item.opts)}
        own = rest[: rest.index("--")] if "--" in rest else rest
        for word in own:
            if word.startswith("--"):
                assert word in options, f"{page.name}: `{line}` has no option {word}"


def test_the_pages_name_every_command() -> None:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    told = {tuple(shlex.split(line, comments=True)[1:2]) for line in named(ROOT / "README.md")}
    assert {(name,) for name in found.commands} <= told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if link.startswith(("https://", "#")):
            continue
        file, _, heading = link.partition("#")
        assert (page.parent / file).exists(), f"{page.name} links to {link}"
        if heading:
            titles = re.findall(r"^#+ (.+)$", (page.parent / file).read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert heading in slugs, f"{page.name} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_a_path_of_one_machine(page: Path) -> None:
    assert not _THIS_MACHINE.search(page.read_text())


@pytest.mark.parametrize("page", ["threat-model.md", "attacks.md"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named_tests = _TEST.findall((ROOT / "docs" / page).read_text())
    assert named_tests
    for file, test in named_tests:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(), f"{file}::{test}"


def test_the_estate_of_the_readme_breaks_no_law(tmp_path: Path) -> None:
    examples = [body for kind, body in _FENCE.findall(PAGES[0].read_text()) if kind == "yaml"]
    estate = tmp_path / "estate.yaml"
    estate.write_text(examples[0])
    done = CliRunner().invoke(app, ["check", str(estate)])
    assert done.exit_code == 0
    assert done.stdout.strip() in PAGES[0].read_text()


def test_every_command_of_the_readme_explains_itself() -> None:
    paths = set()
    for line in named(PAGES[0]):
        words = shlex.split(line.replace("…", ""), comments=True)[1:]
        _, rest = command_of(words)
        paths.add(tuple(words[: len(words) - len(rest)]))
    for path in paths:
        assert CliRunner().invoke(app, [*path, "--help"]).exit_code == 0
