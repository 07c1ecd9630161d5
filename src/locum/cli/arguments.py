"""Arguments that several commands take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

_ID = re.compile(r"[A-Za-z0-9_-]*")


def an_id(text: str) -> str:
    """Take what can be an id; anything else would make another address of the call's.

    Raises:
        typer.BadParameter: it cannot be one.
    """
    if _ID.fullmatch(text) is None:
        raise typer.BadParameter(f"{text!r} cannot be an id; `locum status` and `keys` list them.")
    return text


CaFile = Annotated[
    Path | None, typer.Option(help="PEM file of the authority of Locum's certificate.")
]
Json = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
RequestArg = Annotated[str, typer.Argument(help="The request, rq_….", callback=an_id)]
GrantArg = Annotated[str, typer.Argument(help="The grant, gr_….", callback=an_id)]
