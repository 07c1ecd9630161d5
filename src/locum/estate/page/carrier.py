"""Put the page and its data into one file that opens anywhere, offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from locum.estate.page.data import KIND, Last
from locum.model.refusal import MalformedInput

_HERE = Path(__file__).parent
_OPENING = '<script type="application/json" id="estate">'


def one_file(data: dict[str, Any]) -> str:
    """The report as one HTML file.

    Names come from anywhere, so nothing in the data can end the element that carries it.
    """
    said = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    said = said.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    page = (_HERE / "report.html").read_text()
    for mark, text in (
        ("/*STYLE*/", (_HERE / "report.css").read_text()),
        ("/*SCRIPT*/", (_HERE / "report.js").read_text()),
        ("/*DATA*/", said),
    ):
        page = page.replace(mark, text, 1)
    return page


def read_last(file: Path) -> Last:
    """What an earlier report said, out of its page or its data.

    Raises:
        MalformedInput: the file is no report of Locum's.
    """
    try:
        text = file.read_text()
        _, found, rest = text.partition(_OPENING)
        return msgspec.json.decode(rest.partition("</script>")[0] if found else text, type=Last)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise MalformedInput(
            f"{file} is no report of {KIND}.",
            "Name a file that `locum report ESTATE --out FILE` wrote.",
        ) from None
