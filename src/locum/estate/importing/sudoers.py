"""Who may do anything on a host, out of sudoers.

Members of a group are told by `/etc/group`. Without it a rule for a group may be about anybody, and
so may a rule of a file that is included.

Source: sudoers(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from locum.estate.importing.export import Export
from locum.estate.importing.refusing import decoded, refuse

_INCLUDE = re.compile(r"[@#]include(dir)?\s")
_ALIAS = re.compile(r"(User|Cmnd|Cmd)_Alias\s+(.*)$")
_OTHER = re.compile(r"(Defaults|Host_Alias|Runas_Alias)\b")
_TAG = re.compile(r"\b[A-Z_]+:\s*|\([^)]*\)")
_ALL = "ALL"


class Powerful(msgspec.Struct, frozen=True):
    """Who may do anything.

    Args:
        accounts: by name.
        anybody: a rule may be about whomever.
    """

    accounts: frozenset[str] = frozenset({"root"})
    anybody: bool = False

    def __contains__(self, account: str) -> bool:
        return self.anybody or account in self.accounts


def read_sudoers(export: Export, groups: Export | None = None) -> Powerful:
    """Who may do anything by sudoers.

    Args:
        groups: `/etc/group`.

    Raises:
        EstateError: a file is no text, or no list of groups.
    """
    members = None if groups is None else dict(_groups(groups))
    users: dict[str, list[str]] = {}
    commands: dict[str, list[str]] = {}
    rules: list[tuple[list[str], list[str]]] = []
    anybody = False
    for line in _lines(export):
        alias = _ALIAS.match(line)
        if _INCLUDE.match(line):
            anybody = True
        elif alias:
            (users if alias[1] == "User" else commands).update(_aliases(alias[2]))
        elif "=" in line and line[0] != "=" and not _OTHER.match(line):
            left, _, right = line.partition("=")
            whom = re.sub(r"\s*,\s*", ",", left.strip()).split(None, 1)[0]
            rules.append((whom.split(","), _listed(_TAG.sub("", right))))
    found = {"root"}
    for who, may in rules:
        if _ALL not in _resolved(may, commands):
            continue
        for one in _resolved(who, users):
            told = members is not None and one[:1] == "%" and one[1:2] not in (":", "#")
            if one[:1] in ("%", "+", "#") and not told:
                anybody = True
            elif told:
                found |= (members or {}).get(one[1:], frozenset())
            elif one == _ALL:
                anybody = True
            else:
                found.add(one)
    return Powerful(frozenset(found), anybody)


def _lines(export: Export) -> Iterator[str]:
    """Rules without comments, one line each."""
    text = decoded(export.whole(), export.file).replace("\\\n", " ")
    for line in text.splitlines():
        kept = line.strip()
        if _INCLUDE.match(kept):
            yield kept
        else:
            # `#` and a number is a user; all else after `#` is a comment.
            yield re.sub(r"#(?![0-9]).*$", "", kept).strip()


def _aliases(text: str) -> Iterator[tuple[str, list[str]]]:
    for one in text.split(":"):
        name, _, of = one.partition("=")
        yield name.strip(), _listed(of)


def _listed(text: str) -> list[str]:
    return [one.strip().strip('"') for one in text.split(",") if one.strip()]


def _resolved(names: Iterable[str], aliases: Mapping[str, list[str]]) -> set[str]:
    """Names with what aliases stand for; what is taken away by `!` is not followed."""
    found: set[str] = set()
    open_ones = [*names]
    while open_ones:
        one = open_ones.pop()
        if one not in found and not one.startswith("!"):
            found.add(one)
            open_ones += aliases.get(one, ())
    return found


def _groups(export: Export) -> Iterator[tuple[str, frozenset[str]]]:
    for line, text in enumerate(decoded(export.whole(), export.file).splitlines(), 1):
        fields = text.strip().split(":")
        if fields == [""]:
            continue
        if len(fields) != 4:
            refuse(export.file, "form", "This line is no group.", "E.g. `getent group`.", line)
        yield fields[0], frozenset(filter(None, fields[3].split(",")))
