"""What commands print: data as JSON where asked, else words; errors with the next step."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from locum.estate.problem import EstateError
from locum.model.refusal import LocumError, MalformedInput, RefusedError

OK, FINDINGS, USAGE = 0, 1, 2
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff]"
)
"""What moves a terminal, or turns or hides the text around it: a line feed and a tab do not."""


class _Terminal(Console):
    """A console on which the words of others are seen and steer nothing (CWE-150)."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)


console = _Terminal(highlight=False, soft_wrap=True, emoji=False)
errors = _Terminal(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def printable(text: str) -> str:
    """A text with every sign that would steer a terminal written out, e.g. `\\x1b`."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def show(data: Any, as_json: bool, words: Callable[[Any], None]) -> None:
    """Print data: as JSON, or by `words`."""
    if as_json:
        sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")
    else:
        words(data)


def table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table, or that there is nothing."""
    if not rows:
        console.print("Nothing.")
        return
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))  # words of others are no markup
    console.print(made)


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn an error of ours into words and an exit code: 1 refused, 2 bad input."""
    try:
        yield
    except LocumError as error:
        fail(error)
    except BrokenPipeError:
        raise  # who read our output has gone; there is nobody to tell
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        fail(
            MalformedInput(
                f"{what}{error.strerror or error}.",
                "Check the name, and that you may read and write there.",
            )
        )


def fail(error: LocumError) -> NoReturn:
    """Print an error with its remedy, and exit."""
    if isinstance(error, RefusedError):
        for breach in error.breaches:
            _say(f"refused  {breach.law}: {breach.fact}", breach.remedy)
        raise typer.Exit(FINDINGS)
    if isinstance(error, EstateError):
        for problem in error.problems:
            first = "" if problem.related is None else f" The first is at {problem.related}."
            heading = "  ".join(filter(None, (str(problem.position), problem.subject)))
            _say(f"{heading}  {problem.fact}{first}", problem.remedy)
        raise typer.Exit(USAGE)
    _say(error.fact, error.remedy)
    raise typer.Exit(USAGE if isinstance(error, MalformedInput) else FINDINGS)


def _say(fact: str, remedy: str) -> None:
    errors.print(fact, style="red", markup=False)
    if remedy:
        errors.print(f"  {remedy}", markup=False)
